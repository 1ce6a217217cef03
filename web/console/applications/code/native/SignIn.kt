// build.gradle.kts: implementation("net.openid:appauth:0.11.1")
// and in defaultConfig: manifestPlaceholders["appAuthRedirectScheme"] = <<text .Scheme>>
import android.app.Activity
import android.content.Intent
import android.net.Uri
import net.openid.appauth.*

const val SIGN_IN = 1

fun signIn(screen: Activity, service: AuthorizationService) {
    AuthorizationServiceConfiguration.fetchFromIssuer(Uri.parse(<<text .Issuer>>)) { configuration, error ->
        if (configuration == null) throw error!!
        val request = AuthorizationRequest.Builder(
            configuration,
            <<text .ID>>,
            ResponseTypeValues.CODE,
            Uri.parse(<<text .Redirect>>),
        ).setScope("openid profile email offline_access").build()
        screen.startActivityForResult(service.getAuthorizationRequestIntent(request), SIGN_IN)
    }
}

// Call it from onActivityResult, with the intent that SIGN_IN brings.
fun signedIn(data: Intent, service: AuthorizationService, done: (TokenResponse?) -> Unit) {
    val response = AuthorizationResponse.fromIntent(data) ?: return done(null)
    service.performTokenRequest(response.createTokenExchangeRequest()) { tokens, _ -> done(tokens) }
}
