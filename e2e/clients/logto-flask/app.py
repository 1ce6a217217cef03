# The app of Logto's Python guide: Flask, its cookie session as the storage, four
# routes. /refresh is ours: it makes the SDK's cached access token look expired.
import os

from flask import Flask, redirect, request, session
from logto import LogtoClient, LogtoConfig, LogtoException, Storage, UserInfoScope
from markupsafe import escape

HOME = os.environ["HOME_URL"]

app = Flask(__name__)
app.secret_key = os.urandom(16)


class SessionStorage(Storage):
    def get(self, key):
        return session.get(key, None)

    def set(self, key, value):
        session[key] = value

    def delete(self, key):
        session.pop(key, None)


client = LogtoClient(
    LogtoConfig(
        endpoint=os.environ["ENDPOINT"],
        appId=os.environ["CLIENT_ID"],
        appSecret=os.environ["CLIENT_SECRET"],
        scopes=[UserInfoScope.email],
    ),
    storage=SessionStorage(),
)


async def shown():
    claims, info = client.getIdTokenClaims(), await client.fetchUserInfo()
    return f"""<pre id="id-token">{escape(claims.model_dump_json(exclude_unset=True))}</pre>
<pre id="userinfo">{escape(info.model_dump_json(exclude_unset=True))}</pre>
<pre id="access-token">{await client.getAccessToken()}</pre>
<a id="sign-out" href="/sign-out">Sign out</a>"""


@app.route("/")
async def home():
    if client.isAuthenticated() is False:
        return 'Signed out <a id="sign-in" href="/sign-in">Sign in</a>'
    return await shown()


@app.route("/sign-in")
async def sign_in():
    return redirect(await client.signIn(redirectUri=HOME + "/callback"))


@app.route("/callback")
async def callback():
    try:
        await client.handleSignInCallback(request.url)
        return redirect("/")
    except LogtoException as e:
        return "Error: " + str(e), 500


@app.route("/sign-out")
async def sign_out():
    return redirect(await client.signOut(postLogoutRedirectUri=HOME + "/"))


@app.route("/refresh")
async def refresh():
    tokens = client._getAccessTokenMap()
    tokens.x[""].expiresAt = 0
    session["accessTokenMap"] = tokens.model_dump_json()
    try:
        return await shown()
    except LogtoException as e:
        return "Error: " + str(e), 500


app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
