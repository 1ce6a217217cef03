# A Flask app with Authlib: discovery, PKCE, nonce, userinfo, the refresh that
# Authlib does by itself when a token has expired, and sign-out at the provider.
import os
import secrets
from urllib.parse import urlencode

from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, redirect, request, session
from markupsafe import escape

HOME = os.environ["HOME_URL"]

app = Flask(__name__)
app.secret_key = os.urandom(16)


def keep(token):
    session["token"] = {k: token.get(k) for k in ("access_token", "refresh_token", "token_type", "expires_at")}
    if "id_token" in token:
        session["id_token"] = token["id_token"]


oauth = OAuth(app, update_token=lambda name, token, refresh_token=None, access_token=None: keep(token))
oauth.register(
    name="idp",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid offline_access profile email", "code_challenge_method": "S256"},
)


def shown():
    info = oauth.idp.userinfo(token=session["token"])
    return f"""<pre id="id-token">{escape(app.json.dumps(session["claims"]))}</pre>
<pre id="userinfo">{escape(app.json.dumps(info))}</pre>
<pre id="access-token">{session["token"]["access_token"]}</pre>
<a id="sign-out" href="/sign-out">Sign out</a>"""


@app.route("/")
def home():
    if "token" not in session:
        return 'Signed out <a id="sign-in" href="/sign-in">Sign in</a>'
    return shown()


@app.route("/sign-in")
def sign_in():
    return oauth.idp.authorize_redirect(HOME + "/callback", prompt="consent")


@app.route("/callback")
def callback():
    token = oauth.idp.authorize_access_token()
    keep(token)
    session["claims"] = token["userinfo"]  # what Authlib calls the ID token's claims
    return redirect("/")


@app.route("/refresh")
def refresh():
    session["token"] = session["token"] | {"expires_at": 1}
    return shown()


@app.route("/sign-out")
def sign_out():
    hint = session["id_token"]
    session.clear()
    session["state"] = secrets.token_urlsafe()
    end = oauth.idp.load_server_metadata()["end_session_endpoint"]
    return redirect(end + "?" + urlencode({
        "id_token_hint": hint,
        "post_logout_redirect_uri": HOME + "/signed-out",
        "state": session["state"],
    }))


@app.route("/signed-out")
def signed_out():
    if request.args.get("state") != session.pop("state"):
        return "Error: another state came back", 400
    return redirect("/")


@app.errorhandler(OAuthError)
def refused(e):
    return "Error: " + str(e), 500


app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
