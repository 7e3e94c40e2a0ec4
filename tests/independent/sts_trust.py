"""An independent STS that verifies everything: it fetches the issuer's keys, verifies the token, evaluates the role's trust
policy, and responds with XML, or with JSON if the client accepts it.

Written from the public record of what AWS answers, and from nothing of Rolecall or its sandbox: the STS API reference, the
IAM user guide (condition operators; session tags), Envoy's and aws-iam-authenticator's clients (JSON), and the answers
recorded in github.com/radkawar/stackd. Signatures are checked by PyJWT.

It reads one line of JSON: {"issuer", "audiences", "roles": {ARN: trust policy}}. Then it prints its address. It ends with
its standard input.
"""

import datetime
import fnmatch
import json
import sys
import threading
import urllib.request
import uuid
from xml.sax.saxutils import escape

import jwt
from flask import Flask, Response, request
from werkzeug.serving import make_server

LEEWAY = datetime.timedelta(seconds=300)
NOT_VALIDATED = (
    "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for "
    "requirements."
)
TAGS = "https://aws.amazon.com/tags"

config = json.loads(sys.stdin.readline())
app = Flask(__name__)
issued = {}


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def verified(token):
    try:
        header = jwt.get_unverified_header(token)
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.PyJWTError:
        raise Refused(400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT.") from None
    if issuer != config["issuer"]:
        raise Refused(400, "InvalidIdentityToken", NOT_VALIDATED)
    fetch = lambda address: json.load(urllib.request.urlopen(address, timeout=5))
    keys = fetch(fetch(issuer.rstrip("/") + "/.well-known/openid-configuration")["jwks_uri"])["keys"]
    fitting = [key for key in keys if key.get("kid") == header.get("kid")]
    if len(fitting) != 1:
        raise Refused(400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider,  ")
    algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
    try:
        claims = jwt.decode(
            token,
            jwt.PyJWK(fitting[0], algorithm=header["alg"]).key,
            algorithms=algorithms,
            leeway=LEEWAY,
            options={"verify_aud": False, "require": ["iss", "sub", "aud", "iat", "exp"]},
        )
    except jwt.ExpiredSignatureError:
        raise Refused(400, "ExpiredTokenException", "Token expired") from None
    except jwt.PyJWTError:
        raise Refused(400, "InvalidIdentityToken", NOT_VALIDATED) from None
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    party = claims.get("azp") or (audience[0] if len(audience) == 1 else None)
    if party not in config["audiences"]:
        raise Refused(400, "InvalidIdentityToken", NOT_VALIDATED)
    return claims, party


def holds(operator, expected, actual):
    """One operator of a condition, of those that trust policies for web identity use."""
    any_value = operator.startswith("ForAnyValue:")
    matches = {
        "StringEquals": lambda pattern, text: pattern == text,
        "StringLike": lambda pattern, text: fnmatch.fnmatchcase(text, pattern.replace("[", "[[]")),
    }[operator.removeprefix("ForAnyValue:")]
    expected = expected if isinstance(expected, list) else [expected]
    # A key with several values needs a set operator.
    values = actual if isinstance(actual, list) else [actual]
    if actual is None or (isinstance(actual, list) and not any_value):
        return False
    return any(matches(pattern, value) for pattern in expected for value in values)


def allows(policy, action, context):
    for statement in policy["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        conditions = statement.get("Condition", {})
        if statement["Effect"] == "Allow" and action in actions:
            if all(holds(op, want, context.get(key)) for op, keys in conditions.items() for key, want in keys.items()):
                return True
    return False


def assume_role(form):
    arn = form["RoleArn"]
    seconds = int(form.get("DurationSeconds", "3600"))
    claims, audience = verified(form["WebIdentityToken"])
    provider = config["issuer"].split("://")[1]
    context = {f"{provider}:aud": audience, f"{provider}:sub": claims["sub"]}
    if isinstance(claims.get("amr"), list):
        context[f"{provider}:amr"] = claims["amr"]
    for tag, values in claims.get(TAGS, {}).get("principal_tags", {}).items():
        context[f"aws:RequestTag/{tag}"] = values[0]
    policy = config["roles"].get(arn)
    actions = ["sts:AssumeRoleWithWebIdentity"] + (["sts:TagSession"] if TAGS in claims else [])
    for action in actions:
        if policy is None or not allows(policy, action, context):
            raise Refused(403, "AccessDenied", f"Not authorized to perform {action}")
    if seconds > 3600:
        text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise Refused(400, "ValidationError", text)
    account, name = arn.split(":")[4], arn.split("/")[-1]
    expiration = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    key = "ASIA" + uuid.uuid4().hex[:16].upper()
    identity = f"arn:aws:sts::{account}:assumed-role/{name}/{form['RoleSessionName']}"
    issued[key] = {"Account": account, "Arn": identity, "UserId": f"AROA:{form['RoleSessionName']}"}
    return {
        "Audience": audience,
        "AssumedRoleUser": {"AssumedRoleId": f"AROA:{form['RoleSessionName']}", "Arn": identity},
        "Provider": f"arn:aws:iam::{account}:oidc-provider/{provider}",
        "Credentials": {
            "AccessKeyId": key,
            "SecretAccessKey": uuid.uuid4().hex + "/+secret",
            "SessionToken": (uuid.uuid4().hex + "/+=") * 40,
            "Expiration": expiration,
        },
        "SubjectFromWebIdentityToken": claims["sub"],
        "PackedPolicySize": 25,
    }


def caller_identity(_form):
    """Whoever the key was issued to. That requests are signed rightly is moto's and the sandbox's to verify."""
    key = request.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
    if key not in issued:
        raise Refused(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    return issued[key]


def as_xml(name, value):
    if isinstance(value, dict):
        return f"<{name}>" + "".join(as_xml(*item) for item in value.items()) + f"</{name}>"
    if isinstance(value, datetime.datetime):
        value = value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"<{name}>{escape(str(value))}</{name}>"


def answer(status, document):
    """XML with the root element's name space, or JSON with seconds for times."""
    (root, content), = document.items()
    headers = {"x-amzn-RequestId": str(uuid.uuid4()), "Access-Control-Allow-Origin": "*"}
    headers["Access-Control-Expose-Headers"] = "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"
    if "application/json" in request.headers.get("Accept", ""):
        plain = content if root == "ErrorResponse" else document
        body = json.dumps(plain, default=lambda time: time.timestamp())
        return Response(body, status, headers, content_type="application/json")
    space = ' xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'
    body = as_xml(root, content).replace(f"<{root}>", f"<{root}{space}>", 1)
    return Response(body, status, headers, content_type="text/xml")


@app.post("/")
def call():
    operations = {"AssumeRoleWithWebIdentity": assume_role, "GetCallerIdentity": caller_identity}
    action = request.form.get("Action")
    try:
        result = operations[action](request.form)
    except Refused as refused:
        error = {"Type": "Sender", "Code": refused.code, "Message": refused.message}
        return answer(refused.status, {"ErrorResponse": {"Error": error, "RequestId": str(uuid.uuid4())}})
    metadata = {"RequestId": str(uuid.uuid4())}
    return answer(200, {f"{action}Response": {f"{action}Result": result, "ResponseMetadata": metadata}})


server = make_server("127.0.0.1", 0, app, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.port}/", flush=True)
sys.stdin.read()
