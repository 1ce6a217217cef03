# pip install authlib requests "flask[dotenv]"
import os
from urllib.parse import urlencode

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session
from markupsafe import escape

app = Flask(__name__)
app.secret_key = os.environ["SESSION_SECRET"]

oauth = OAuth(app)
oauth.register(
    name="idp",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["IDP_ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)


@app.route("/")
def home():
    if "email" not in session:
        return '<a id="sign-in" href="/sign-in">Sign in</a>'
    return f'Signed in as {escape(session["email"])}. <a id="sign-out" href="/sign-out">Sign out</a>'


@app.route("/sign-in")
def sign_in():
    return oauth.idp.authorize_redirect(os.environ["REDIRECT_URI"])


@app.route(<<text .Path>>)
def callback():
    token = oauth.idp.authorize_access_token()
    session["email"] = token["userinfo"]["email"]  # the claims of the ID token
    session["id_token"] = token["id_token"]
    return redirect("/")


@app.route("/sign-out")
def sign_out():
    hint = session.pop("id_token", "")
    session.clear()
    end = oauth.idp.load_server_metadata()["end_session_endpoint"]
    return redirect(end + "?" + urlencode({"id_token_hint": hint, "post_logout_redirect_uri": os.environ["POST_LOGOUT_REDIRECT_URI"]}))
