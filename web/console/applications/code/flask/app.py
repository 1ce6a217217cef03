import os

from flask import Flask, redirect, request, session
from logto import LogtoClient, LogtoConfig, LogtoException, Storage, UserInfoScope
from markupsafe import escape

app = Flask(__name__)
app.secret_key = os.environ["SESSION_SECRET"]


class SessionStorage(Storage):
    def get(self, key):
        return session.get(key, None)

    def set(self, key, value):
        session[key] = value

    def delete(self, key):
        session.pop(key, None)


client = LogtoClient(
    LogtoConfig(
        endpoint=os.environ["IDP_ENDPOINT"],
        appId=os.environ["CLIENT_ID"],
        appSecret=os.environ["CLIENT_SECRET"],
        scopes=[UserInfoScope.email],
    ),
    storage=SessionStorage(),
)


@app.route("/")
async def home():
    if not client.isAuthenticated():
        return '<a id="sign-in" href="/sign-in">Sign in</a>'
    email = client.getIdTokenClaims().email
    return f'Signed in as {escape(email)}. <a id="sign-out" href="/sign-out">Sign out</a>'


@app.route("/sign-in")
async def sign_in():
    return redirect(await client.signIn(redirectUri=os.environ["REDIRECT_URI"]))


@app.route(<<text .Path>>)
async def callback():
    try:
        await client.handleSignInCallback(request.url)
    except LogtoException as e:
        return f"Not signed in: {escape(e)}", 400
    return redirect("/")


@app.route("/sign-out")
async def sign_out():
    return redirect(await client.signOut(postLogoutRedirectUri=os.environ["POST_LOGOUT_REDIRECT_URI"]))
