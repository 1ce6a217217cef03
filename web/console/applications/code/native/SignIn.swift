// Swift package: https://github.com/openid/AppAuth-iOS
// Info.plist, URL types: the scheme <<.Scheme>>
import AppAuth
import UIKit

var flow: OIDExternalUserAgentSession?

func signIn(from screen: UIViewController, done: @escaping (OIDAuthState?, Error?) -> Void) {
    let issuer = URL(string: <<text .Issuer>>)!
    OIDAuthorizationService.discoverConfiguration(forIssuer: issuer) { configuration, error in
        guard let configuration else { return done(nil, error) }
        let request = OIDAuthorizationRequest(
            configuration: configuration,
            clientId: <<text .ID>>,
            scopes: [OIDScopeOpenID, OIDScopeProfile, "email", "offline_access"],
            redirectURL: URL(string: <<text .Redirect>>)!,
            responseType: OIDResponseTypeCode,
            additionalParameters: nil)
        flow = OIDAuthState.authState(byPresenting: request, presenting: screen, callback: done)
    }
}
