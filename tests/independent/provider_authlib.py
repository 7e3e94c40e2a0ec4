"""A third-party OpenID Connect provider in Python: Authlib on Flask. Authlib checks the
client, the redirect address and PKCE, issues codes, signs ID tokens and rotates refresh tokens; this file only has what
any application has to add: a client, users, pages and storage for codes.

python provider_authlib.py CONFIG, with JSON: {"redirect_uris", "cors", "algorithm"}. It prints its issuer. Every name may
sign in, with any password. The line "rotate" on its standard input makes it sign with a new key and publish that alone; it
answers "rotated". To "grants" it answers with the grants that its token endpoint was asked for. It ends with its standard input.
"""

import json
import logging
import os
import sys
import threading
import time
import uuid

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode, OpenIDToken
from flask import Flask, jsonify, redirect, request, session
from flask_cors import CORS
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import make_server

# It would refuse to speak without TLS, also on loopback.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "true"
config = json.loads(sys.argv[1])
ALGORITHM = config["algorithm"]

app = Flask(__name__)
app.secret_key = uuid.uuid4().hex
logging.getLogger("werkzeug").setLevel(logging.ERROR)
if config["cors"]:
    CORS(app)
server = make_server("127.0.0.1", 0, app, threaded=True)
ISSUER = f"http://127.0.0.1:{server.port}"
app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
codes, tokens, used = {}, {}, []


def new_key():
    parameters = {"kid": uuid.uuid4().hex, "use": "sig", "alg": ALGORITHM}
    return RSAKey.generate_key(2048, parameters) if ALGORITHM[0] == "R" else ECKey.generate_key("P-256", parameters)


key = new_key()


class Person(str):
    def get_user_id(self):
        return str(self)


class Client(ClientMixin):
    client_id = "rolecall"
    id_token_signed_response_alg = ALGORITHM
    client_metadata = {"id_token_signed_response_alg": ALGORITHM}

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return config["redirect_uris"][0]

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri in config["redirect_uris"]

    def check_client_secret(self, client_secret):
        return False

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "none"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in ("authorization_code", "refresh_token")


class Code(AuthorizationCodeMixin):
    def __init__(self, code, request):
        data = request.payload.data
        self.code, self.user = code, request.user
        self.redirect_uri, self.scope, self.nonce = data.get("redirect_uri"), data.get("scope"), data.get("nonce")
        self.code_challenge = data.get("code_challenge")
        self.code_challenge_method = data.get("code_challenge_method")
        self.auth_time = int(time.time())

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return self.auth_time

    def get_acr(self):
        return None

    def get_amr(self):
        return None


class Token(TokenMixin):
    def __init__(self, token, user):
        self.token, self.user = token, user

    def check_client(self, client):
        return True

    def get_scope(self):
        return self.token["scope"]

    def get_expires_in(self):
        return self.token["expires_in"]

    def is_expired(self):
        return False

    def is_revoked(self):
        return False


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none"]

    def save_authorization_code(self, code, request):
        codes[code] = Code(code, request)

    def query_authorization_code(self, code, client):
        return codes.get(code)

    def delete_authorization_code(self, authorization_code):
        codes.pop(authorization_code.code)

    def authenticate_user(self, authorization_code):
        return authorization_code.user


class IdToken:
    def resolve_client_private_key(self, client):
        return key

    def get_client_algorithm(self, client):
        return ALGORITHM

    def get_encode_header(self, client):
        return {"alg": ALGORITHM, "kid": key.kid}

    def get_compatible_claims(self, request):
        now = int(time.time())
        return {"iss": ISSUER, "aud": [request.client.client_id], "iat": now, "exp": now + config["lifetime"]}

    def exists_nonce(self, nonce, request):
        return any(code.nonce == nonce for code in codes.values())

    def generate_user_info(self, user, scope):
        return UserInfo(sub=str(user), email=f"{user}@example.com")


class IdTokenOfCode(IdToken, OpenIDCode):
    pass


class IdTokenOfRefresh(IdToken, OpenIDToken):
    pass


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        return tokens.get(refresh_token)

    def authenticate_user(self, refresh_token):
        return refresh_token.user

    def revoke_old_credential(self, refresh_token):
        tokens.pop(refresh_token.token["refresh_token"], None)


def save_token(token, request):
    if "refresh_token" in token:
        tokens[token["refresh_token"]] = Token(token, request.user)


authorization = AuthorizationServer(
    app, query_client=lambda client_id: Client() if client_id == Client.client_id else None, save_token=save_token
)
authorization.register_grant(CodeGrant, [CodeChallenge(required=True), IdTokenOfCode(require_nonce=True)])
authorization.register_grant(RefreshGrant, [IdTokenOfRefresh()])

PAGE = """<!doctype html><title>Sign in</title><form method="post">
<input name="login" autofocus><input name="password" type="password"><button type="submit">Sign-in</button></form>"""


@app.get("/.well-known/openid-configuration")
def discovery():
    return jsonify(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        jwks_uri=f"{ISSUER}/jwks",
        response_types_supported=["code"],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=[ALGORITHM],
        code_challenge_methods_supported=["S256"],
    )


@app.get("/jwks")
def jwks():
    return jsonify(KeySet([key]).as_dict(private=False))


@app.route("/authorize", methods=["GET", "POST"])
def authorize():
    if request.method == "POST" and "login" in request.form:
        session["login"] = request.form["login"]
        return redirect(request.full_path)
    login, prompt = session.get("login"), request.args.get("prompt")
    if login is None and prompt == "none":
        back = request.args["redirect_uri"]
        return redirect(f"{back}?error=login_required&state={request.args['state']}")
    if login is None:
        return PAGE
    grant = authorization.get_consent_grant(end_user=Person(login))
    return authorization.create_authorization_response(grant=grant, grant_user=Person(login))


@app.post("/token")
def token():
    used.append(request.form["grant_type"])
    return authorization.create_token_response()


threading.Thread(target=server.serve_forever, daemon=True).start()
print(ISSUER, flush=True)
for line in sys.stdin:
    if line.strip() == "rotate":
        key = new_key()
        print("rotated", flush=True)
    if line.strip() == "grants":
        print(" ".join(used), flush=True)
