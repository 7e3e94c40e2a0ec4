#!/usr/bin/env python3
"""Makes the corpus beside it: tokens and answers, each with the code that they must be refused with, or "ok".

It knows nothing of Rolecall but its error codes, and signs with the few lines of arithmetic below, so that a mistake in a
library is not a mistake in both. It takes no input, and its output is always the same: python3 make.py

tokens.jsonl     name, expect, header and payload as they are signed (text), token, keys (the key set), nonce
answers.jsonl    name, expect, kind (discovery, keys, tokens, sts, redirect), status and body, or url
"""

import base64
import hashlib
import json
import pathlib
import random
import zlib

RANDOM = random.Random("rolecall")
NOW = 1_900_000_000


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return b64(value.to_bytes((value.bit_length() + 7) // 8 or 1, "big"))


# RSASSA-PKCS1-v1_5 (RFC 8017)

def is_prime(n):
    if any(n % p == 0 for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return False
    d, r = n - 1, 0
    while d % 2 == 0:
        d, r = d // 2, r + 1
    for _ in range(20):
        x = pow(RANDOM.randrange(2, n - 1), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(r - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


class Rsa:
    def __init__(self, bits, e=65537):
        def prime():
            while True:
                p = RANDOM.getrandbits(bits // 2) | (3 << (bits // 2 - 2)) | 1
                if (p - 1) % e and is_prime(p):
                    return p
        p, q = prime(), prime()
        self.n, self.e, self.size = p * q, e, bits // 8
        self.d = pow(e, -1, (p - 1) * (q - 1))

    def jwk(self, kid=None, **more):
        key = {"kty": "RSA", "n": number(self.n), "e": number(self.e), **more}
        return key if kid is None else {"kid": kid, **key}

    PREFIXES = {
        "sha256": "3031300d060960864801650304020105000420",
        "sha384": "3041300d060960864801650304020205000430",
        "sha512": "3051300d060960864801650304020305000440",
        "sha1": "3021300906052b0e03021a05000414",
    }

    def sign(self, message, digest="sha256", padding=None):
        info = bytes.fromhex(self.PREFIXES[digest]) + hashlib.new(digest, message).digest()
        block = padding(info, self.size) if padding else (
            b"\0\1" + b"\xff" * (self.size - len(info) - 3) + b"\0" + info)
        return pow(int.from_bytes(block, "big"), self.d, self.n).to_bytes(self.size, "big")


# ECDSA on P-256 (FIPS 186-4)

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = ((3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) if a == b
             else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(k, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point, k = add(point, point), k >> 1
    return result


class Ec:
    def __init__(self):
        self.d = RANDOM.randrange(1, N)
        self.point = times(self.d, G)

    def jwk(self, kid=None, **more):
        x, y = (b64(part.to_bytes(32, "big")) for part in self.point)
        key = {"kty": "EC", "crv": "P-256", "x": x, "y": y, **more}
        return key if kid is None else {"kid": kid, **key}

    def pair(self, message):
        z, k = int.from_bytes(hashlib.sha256(message).digest(), "big"), RANDOM.randrange(1, N)
        r = times(k, G)[0] % N
        return r, pow(k, -1, N) * (z + r * self.d) % N

    def sign(self, message):
        return raw(*self.pair(message))


def raw(r, s):
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def der(r, s):
    def integer(value):
        data = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return b"\x02" + bytes([len(data)]) + data
    body = integer(r) + integer(s)
    return b"\x30" + bytes([len(body)]) + body


RSA, EC, EVIL_RSA, EVIL_EC = Rsa(2048), Ec(), Rsa(2048), Ec()
KEYS = [RSA.jwk("r1"), EC.jwk("e1")]
DIGESTS = {"RS256": "sha256", "RS384": "sha384", "RS512": "sha512"}

CLAIMS = {"iss": "https://idp.example", "aud": "client", "sub": "alice", "exp": NOW + 600, "iat": NOW - 10,
          "nonce": "n-1", "email": "alice@example.com", "roles": ["a"]}

tokens, answers = [], []


def text(value):
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def claims(**changes):
    """The claims with changes; None takes one away."""
    return {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}


def nulled(name):
    changed = dict(CLAIMS)
    changed[name] = None
    return changed


def sign(header, payload, key=None):
    signed = f"{b64(text(header))}.{b64(payload if isinstance(payload, bytes) else text(payload))}"
    alg = header.get("alg") if isinstance(header, dict) else "ES256"
    if key is None:
        key = RSA if alg in DIGESTS else EC
    if callable(key):
        signature = key(signed.encode())
    elif isinstance(key, Rsa):
        signature = key.sign(signed.encode(), DIGESTS.get(alg, "sha256"))
    else:
        signature = key.sign(signed.encode())
    return f"{signed}.{b64(signature)}"


def token(name, expect, header=None, payload=None, key=None, keys=None, change=None, nonce="n-1"):
    header = {"alg": "ES256", "kid": "e1"} if header is None else header
    payload = CLAIMS if payload is None else payload
    made = sign(header, payload, key)
    tokens.append({
        "name": name, "expect": expect, "header": text(header),
        "payload": payload.decode("latin-1") if isinstance(payload, bytes) else text(payload),
        "token": change(made) if change else made,
        "keys": KEYS if keys is None else keys, "nonce": nonce,
    })


def answer(kind, name, expect, body="", status=200, **more):
    answers.append({"kind": kind, "name": name, "expect": expect, "status": status, "body": text(body), **more})


MALFORMED, ALGORITHM = "id-token-malformed", "id-token-algorithm-refused"
UNKNOWN, SIGNATURE = "id-token-key-unknown", "id-token-signature-invalid"
MISSING, DUPLICATE, INVALID = "id-token-claim-missing", "id-token-claim-duplicate", "id-token-claim-invalid"
ISSUER, AUDIENCE, NONCE = "id-token-issuer-mismatch", "id-token-audience-mismatch", "id-token-nonce-mismatch"
EXPIRED, EARLY = "id-token-expired", "id-token-not-yet-valid"


def es(**more):
    return {"alg": "ES256", "kid": "e1", **more}


def rs(alg="RS256", **more):
    return {"alg": alg, "kid": "r1", **more}


def algorithms():
    for alg in DIGESTS:
        token(f"signed with {alg}", "ok", rs(alg))
    token("signed with ES256", "ok")
    for alg in ("none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "PS256", "PS512", "ES384", "ES512", "ES256K",
                "EdDSA", "RS1", "rs256", "RS256 ", "RSA-OAEP", "dir"):
        token(f"alg is {alg!r}", ALGORITHM, {"alg": alg, "kid": "r1"}, key=RSA)
    token("alg none without a signature", ALGORITHM, {"alg": "none"}, key=lambda _: b"")
    for value in (None, 7, ["ES256"], {"a": 1}, True):
        token(f"alg is {value!r}", MALFORMED, {"alg": value, "kid": "e1"}, key=EC)
    token("there is no alg", MALFORMED, {"kid": "e1"}, key=EC)
    import hmac
    for name, secret in (("modulus", number(RSA.n)), ("key as JSON", text(RSA.jwk("r1"))), ("nothing", "")):
        mac = lambda message, secret=secret: hmac.new(secret.encode(), message, hashlib.sha256).digest()
        token(f"HS256 with the public key as the secret ({name})", ALGORITHM, {"alg": "HS256", "kid": "r1"}, key=mac)
    token("RS256 with the elliptic key's kid", UNKNOWN, rs(kid="e1"))
    token("ES256 with the RSA key's kid", UNKNOWN, es(kid="r1"))
    token("RS512 said, RS256 made", SIGNATURE, rs("RS512"), key=lambda m: RSA.sign(m, "sha256"))
    token("RS256 said, SHA-1 made", SIGNATURE, rs(), key=lambda m: RSA.sign(m, "sha1"))


def key_ids():
    token("no kid, one key of the kind", "ok", {"alg": "ES256"})
    token("no kid, one key at all", "ok", {"alg": "ES256"}, keys=[EC.jwk("e1")])
    token("no kid, a key without one", "ok", {"alg": "ES256"}, keys=[EC.jwk()])
    token("no kid, two keys of the kind", UNKNOWN, {"alg": "ES256"}, keys=[EC.jwk("a"), EVIL_EC.jwk("b")])
    token("two keys of one kid", UNKNOWN, keys=[EC.jwk("e1"), EVIL_EC.jwk("e1")])
    token("two keys of one kid and of different kinds", "ok", keys=[EC.jwk("e1"), RSA.jwk("e1")])
    for kid in ("e2", "E1", "e1 ", "", "../../../../dev/null", "' OR 1=1 --", "/e1", "e1\0", "\u0435\u0031", "*"):
        token(f"kid is {kid!r}", UNKNOWN, es(kid=kid))
    for kid in (None, 1, ["e1"], {"kid": "e1"}, False):
        token(f"kid is {kid!r}", MALFORMED, es(kid=kid))
    token("kid of 10,000 letters", UNKNOWN, es(kid="x" * 10_000))
    token("kid with letters of other scripts", "ok", es(kid="schlüssel-鍵"), keys=[EC.jwk("schlüssel-鍵")])


def embedded_keys():
    token("jwk of the attacker", SIGNATURE, es(jwk=EVIL_EC.jwk()), key=EVIL_EC)
    token("jwk of the attacker under another kid", UNKNOWN, {"alg": "ES256", "kid": "x", "jwk": EVIL_EC.jwk("x")}, key=EVIL_EC)
    token("jku of the attacker", SIGNATURE, es(jku="https://evil.example/jwks"), key=EVIL_EC)
    token("x5u of the attacker", SIGNATURE, rs(x5u="https://evil.example/cert"), key=EVIL_RSA)
    token("x5c of the attacker", SIGNATURE, rs(x5c=["MIIB"]), key=EVIL_RSA)
    token("a jwk that is the provider's own", "ok", es(jwk=EC.jwk("e1")))
    token("crit names exp", MALFORMED, es(crit=["exp"], exp=NOW))
    token("crit is empty", MALFORMED, es(crit=[]))
    token("b64 is false and critical", MALFORMED, es(b64=False, crit=["b64"]))
    token("unknown members", "ok", es(x5t="abc", foo={"bar": [1, None]}))
    token("x5u, x5t#S256 and jku at once", SIGNATURE, es(**{"jku": "https://evil.example", "x5u": "file:///x", "x5t#S256": "AA"}), key=EVIL_EC)
    token("crit is null", MALFORMED, es(crit=None))
    token("crit names what is not there", MALFORMED, es(crit=["zip"]))
    token("b64 is false and not critical, over the usual form", "ok", es(b64=False))
    token("b64 is false, over the payload as it is", SIGNATURE, es(b64=False),
          key=lambda m: EC.sign(m.split(b".")[0] + b"." + text(CLAIMS).encode()))
    token("zip, and a payload that is not compressed", "ok", es(zip="DEF"))
    token("zip, and a payload that is compressed", MALFORMED, es(zip="DEF"), payload=zlib.compress(text(CLAIMS).encode(), 9)[2:-4])
    token("an encrypted token's header", ALGORITHM, {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": "r1"}, key=RSA)
    token("a token within a token", MALFORMED, es(cty="JWT"), payload=sign(es(), CLAIMS))
    token("a token within a token, in quotes", MALFORMED, es(cty="JWT"), payload=json.dumps(sign(es(), CLAIMS)))


def kinds():
    for typ in ("JWT", "jwt", "Jwt", "JOSE"):
        token(f"typ is {typ}", "ok", es(typ=typ))
    for typ in ("at+jwt", "application/at+jwt", "AT+JWT", "logout+jwt", "dpop+jwt", "secevent+jwt", "token-introspection+jwt"):
        token(f"typ is {typ}", MALFORMED, es(typ=typ))
    for typ in (None, 7, ["JWT"]):
        token(f"typ is {typ!r}", MALFORMED, es(typ=typ))
    events = {"http://schemas.openid.net/event/backchannel-logout": {}}
    token("a logout token of no type", MALFORMED, payload={**CLAIMS, "events": events})


def duplicates():
    def twice(name, first, second):
        rest = text({k: v for k, v in CLAIMS.items() if k != name})[1:-1]
        return "{" + f'"{name}":{json.dumps(first)},' + rest + f',"{name}":{json.dumps(second)}' + "}"
    for name, other in (("iss", "https://evil.example"), ("aud", "other"), ("exp", NOW + 10**6), ("sub", "bob"),
                        ("nonce", "n-2"), ("email", "bob@example.com")):
        token(f"{name} twice, the good one first", DUPLICATE, payload=twice(name, CLAIMS[name], other))
        token(f"{name} twice, the good one last", DUPLICATE, payload=twice(name, other, CLAIMS[name]))
    token("sub twice, the same", DUPLICATE, payload=twice("sub", "alice", "alice"))
    token("sub twice, once with an escape", DUPLICATE, payload=text(CLAIMS)[:-1] + ',"\\u0073ub":"bob"}')
    token("alg twice in the header", DUPLICATE, '{"alg":"ES256","alg":"none","kid":"e1"}')
    token("kid twice in the header", DUPLICATE, '{"alg":"ES256","kid":"e1","kid":"e2"}')
    token("names of other cases are other claims", "ok", payload={**CLAIMS, "SUB": "bob", "Iss": "x"})
    token("a claim of a nested object is another one", "ok", payload={**CLAIMS, "x": {"sub": "bob", "iss": "x"}})
    token("sub in a nested object only", MISSING, payload=claims(sub=None, user={"sub": "alice"}))


def claims_of_all_kinds():
    for name in ("iss", "aud", "sub", "exp", "iat", "nonce"):
        token(f"no {name}", MISSING, payload=claims(**{name: None}))
        token(f"{name} is null", MISSING, payload=nulled(name))
    for name in ("email", "roles"):
        token(f"no {name}", "ok", payload=claims(**{name: None}))
    for name in ("iss", "sub", "nonce"):
        for value in (7, True, ["x"], {"a": 1}):
            token(f"{name} is {value!r}", INVALID, payload=claims(**{name: value}))
    token("sub is empty", MISSING, payload=claims(sub=""))
    for value in (7, True, {"a": 1}, [7], ["client", 7], [["client"]]):
        token(f"aud is {value!r}", INVALID, payload=claims(aud=value))
    for value in ("x", 1.5, True, [NOW + 600], {"a": 1}, str(NOW + 600)):
        token(f"exp is {value!r}", INVALID, payload=claims(exp=value))
        token(f"iat is {value!r}", INVALID, payload=claims(iat=value))
        token(f"nbf is {value!r}", INVALID, payload=claims(nbf=value))
    token("exp is 1e30", INVALID, payload=text(claims(exp=1)).replace('"exp":1', '"exp":1e30'))
    token("exp is too large for a date", INVALID, payload=claims(exp=2**63 - 1))
    token("exp is larger than 64 bits", INVALID, payload=claims(exp=2**70))
    for value in ("1e400", "-1e400", "1.9e9", "1900000600.0", "19000006e2", "0x71000000", "1_900_000_600", "00", "-", ".5", "1.", "9" * 400,
                  "-0"):
        expect = {"0x71000000": MALFORMED, "1_900_000_600": MALFORMED, "00": MALFORMED, "-": MALFORMED, ".5": MALFORMED, "1.": MALFORMED,
                  "1e400": MALFORMED, "-1e400": MALFORMED, "9" * 400: MALFORMED, "-0": (EXPIRED, INVALID)}.get(value, INVALID)
        token(f"exp is the number {value[:20]}", expect, payload=text(claims(exp=1)).replace('"exp":1', f'"exp":{value}'))
    token("exp is negative", EXPIRED, payload=claims(exp=-1))
    token("exp is as early as may be", INVALID, payload=claims(exp=-2**63))
    token("email is a number", "ok", payload=claims(email=7))
    token("roles is a string", "ok", payload=claims(roles="a"))
    token("roles is a number", INVALID, payload=claims(roles=7))
    token("roles holds a number", INVALID, payload=claims(roles=["a", 7]))


def parties():
    for iss in ("https://idp.example/", "http://idp.example", "https://IDP.example", "https://idp.example:443",
                "https://evil.example", "https://idp.example.evil.example", "https://idp.ex\u0430mple", " https://idp.example",
                "https://idp.example\0", "idp.example"):
        token(f"iss is {iss!r}", ISSUER, payload=claims(iss=iss))
    token("iss is empty", MISSING, payload=claims(iss=""))
    token("aud is a list of this client", "ok", payload=claims(aud=["client"]))
    token("aud with another one, azp is this client", "ok", payload=claims(aud=["client", "other"], azp="client"))
    token("aud with another one, no azp", MISSING, payload=claims(aud=["client", "other"]))
    token("azp is another one", AUDIENCE, payload=claims(azp="other"))
    token("azp is another one, aud is both", AUDIENCE, payload=claims(aud=["client", "other"], azp="other"))
    token("azp is this client, aud is not", AUDIENCE, payload=claims(aud="other", azp="client"))
    token("azp is a list", INVALID, payload=claims(azp=["client"]))
    for aud in ("other", "", "Client", "client ", "client\0", "cl\u0456ent", "client,other", "https://client"):
        token(f"aud is {aud!r}", AUDIENCE, payload=claims(aud=aud))
    token("aud is this client twice", MISSING, payload=claims(aud=["client", "client"]))
    token("aud is this client twice, azp is it too", "ok", payload=claims(aud=["client", "client"], azp="client"))
    token("aud holds this client within another list", INVALID, payload=claims(aud=["other", ["client"]]))
    token("aud of 1,000, azp is this client", "ok", payload=claims(aud=[f"c{i}" for i in range(999)] + ["client"], azp="client"))
    token("azp is null", "ok", payload=nulled("azp"))
    token("aud is an empty list", AUDIENCE, payload=claims(aud=[]))
    for nonce in ("n-2", "", "N-1", "n-1 ", "n-1\0"):
        token(f"nonce is {nonce!r}", NONCE, payload=claims(nonce=nonce))
    token("a refreshed token without a nonce", "ok", payload=claims(nonce=None), nonce=None)
    token("a refreshed token with the old nonce", "ok", nonce=None)


def times_at_the_borders():
    for at, expect in ((NOW, "ok"), (NOW - 299, "ok"), (NOW - 300, EXPIRED), (NOW - 301, EXPIRED), (0, EXPIRED)):
        token(f"exp is {at - NOW} s from now", expect, payload=claims(exp=at, iat=min(at, NOW - 10)))
    for at, expect in ((NOW, "ok"), (NOW + 300, "ok"), (NOW + 301, EARLY), (NOW * 2, EARLY)):
        token(f"iat is {at - NOW} s from now", expect, payload=claims(iat=at, exp=at + 600))
        token(f"nbf is {at - NOW} s from now", expect, payload=claims(nbf=at, exp=at + 600))
    token("nbf is after exp", EARLY, payload=claims(nbf=NOW + 1000, exp=NOW + 600))
    token("iat is long ago", "ok", payload=claims(iat=0))
    token("exp is far ahead", "ok", payload=claims(exp=NOW + 10 * 365 * 86_400))


def unicode():
    token("a name of another script", "ok", payload=claims(name="李小龍", email="zoë@exämple.com"))
    token("escapes in a string", "ok", payload=text(CLAIMS).replace("https://idp", "https:\\/\\/\\u0069dp"))
    token("a surrogate pair", "ok", payload=text(claims())[:-1] + ',"x":"\\ud83d\\ude80"}')
    token("half a surrogate pair", MALFORMED, payload=text(claims())[:-1] + ',"x":"\\ud83d"}')
    token("bytes that are not UTF-8", MALFORMED, payload=text(CLAIMS)[:-1].encode() + b',"x":"\xff\xfe"}')
    token("overlong UTF-8", MALFORMED, payload=text(CLAIMS)[:-1].encode() + b',"x":"\xc0\xaf"}')
    token("a byte order mark", MALFORMED, payload=b"\xef\xbb\xbf" + text(CLAIMS).encode())
    token("a control character in a string", MALFORMED, payload=text(CLAIMS)[:-1] + ',"x":"a\nb"}')


def forms():
    for payload in ("", "null", "7", '"x"', "[]", "{", "{}x", text(CLAIMS) + "}", text(CLAIMS)[:-1] + ",}", "{'a':1}",
                    '{"a":NaN}', '{"a":01}', '{"a":1,}', "// x\n{}", '{"a":+1}', '{a:1}'):
        token(f"the payload is {payload[:20]!r}", MALFORMED, payload=payload)
    token("the payload is an empty object", MISSING, payload="{}")
    token("white space around JSON", "ok", payload=" \n\t" + json.dumps(CLAIMS, indent=2) + "\r\n ")
    token("nested 10,000 deep", MALFORMED, payload=text(CLAIMS)[:-1] + ',"x":' + "[" * 10_000 + "]" * 10_000 + "}")
    token("the header is a list", MALFORMED, "[]")
    token("the header is empty", MALFORMED, "")
    changes = {
        "empty": lambda t: "", "a dot": lambda t: ".", "two dots": lambda t: "..", "four dots": lambda t: "....",
        "without its signature and dot": lambda t: t.rsplit(".", 1)[0],
        "with five parts": lambda t: t + ".a.b", "with a part more": lambda t: t + ".", "twice": lambda t: t + "." + t,
        "without its payload": lambda t: t.split(".")[0] + ".." + t.split(".")[2],
        "with padding": lambda t: t + "==", "with a line break": lambda t: t + "\n", "with a space before": lambda t: " " + t,
        "in quotes": lambda t: f'"{t}"', "as a bearer": lambda t: "Bearer " + t, "with a NUL": lambda t: t + "\0",
        "cut within its header": lambda t: t[:10], "with percent signs": lambda t: t.replace("e", "%65", 1),
        "with a line break within its payload": lambda t: t.replace(".", ".\n", 1), "with a tab within": lambda t: t[:20] + "\t" + t[20:],
        "with a space within its signature": lambda t: t[:-8] + " " + t[-8:], "with padding in its header": lambda t: t.replace(".", "=.", 1),
        "in the other alphabet": lambda t: t.rsplit(".", 1)[0] + "." + "+/" + t.rsplit(".", 1)[1][2:],
        "with bits beyond the end of its signature": lambda t: t[:-1] + after(t[-1]),
        "with a letter too few": lambda t: t[:-1], "with a letter of another script": lambda t: t[:30] + "\u0430" + t[31:],
        "with a full-width dot": lambda t: t.replace(".", "\uff0e", 1), "with a tag character": lambda t: t + "\U000e0041",
        "with a byte order mark": lambda t: "\ufeff" + t, "as a data address": lambda t: "data:," + t,
        "in JSON serialisation": lambda t: text(dict(zip(("protected", "payload", "signature"), t.split(".")))),
    }
    for name, change in changes.items():
        token(f"the token {name}", MALFORMED, change=change)


def after(letter):
    """The letter that differs in the last bit only."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(letter) ^ 1]


def signatures():
    def broken(change):
        def changed(made):
            signed, signature = made.rsplit(".", 1)
            data = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
            return f"{signed}.{b64(change(data))}"
        return changed
    flip = lambda at: lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
    for header, size in ((es(), 64), (rs(), 256)):
        alg = header["alg"]
        for at in (0, size // 2, size - 1):
            token(f"{alg}: bit of byte {at} flipped", SIGNATURE, header, change=broken(flip(at)))
        token(f"{alg}: empty signature", SIGNATURE, header, change=broken(lambda data: b""))
        token(f"{alg}: a byte short", SIGNATURE, header, change=broken(lambda data: data[:-1]))
        token(f"{alg}: a byte more", SIGNATURE, header, change=broken(lambda data: data + b"\0"))
        token(f"{alg}: a zero before", SIGNATURE, header, change=broken(lambda data: b"\0" + data))
        token(f"{alg}: all zeros", SIGNATURE, header, change=broken(lambda data: bytes(size)))
        token(f"{alg}: all ones", SIGNATURE, header, change=broken(lambda data: b"\xff" * size))
        token(f"{alg}: of the attacker", SIGNATURE, header, key=EVIL_EC if alg == "ES256" else EVIL_RSA)
        other = sign(header, claims(sub="bob")).rsplit(".", 1)[1]
        token(f"{alg}: of another payload", SIGNATURE, header, change=lambda t, o=other: f"{t.rsplit('.', 1)[0]}.{o}")
        payload = b64(text(claims(sub="bob")))
        token(f"{alg}: another payload", SIGNATURE, header, change=lambda t, p=payload: ".".join((t.split(".")[0], p, t.split(".")[2])))
        changed = b64(text({**header, "x": 1}))
        token(f"{alg}: another header", SIGNATURE, header, change=lambda t, h=changed: ".".join((h, *t.split(".")[1:])))
    token("ES256: s mirrored, which is as good", "ok", change=broken(
        lambda data: data[:32] + (N - int.from_bytes(data[32:], "big")).to_bytes(32, "big")))
    token("ES256: r and s swapped", SIGNATURE, change=broken(lambda data: data[32:] + data[:32]))
    token("ES256: r and s 0", SIGNATURE, key=lambda m: raw(0, 0))
    token("ES256: r is 0", SIGNATURE, key=lambda m: raw(0, EC.pair(m)[1]))
    token("ES256: s is 0", SIGNATURE, key=lambda m: raw(EC.pair(m)[0], 0))
    token("ES256: s plus the order", SIGNATURE, key=lambda m: raw(1, N + 1))
    token("ES256: in DER, filled up to 64 bytes", SIGNATURE, key=lambda m: der(7, 9).ljust(64, b"\0"))
    token("ES256: r is the order", SIGNATURE, key=lambda m: raw(N, 1))
    token("ES256: r and s the order", SIGNATURE, key=lambda m: raw(N, N))
    token("ES256: r and s 1", SIGNATURE, key=lambda m: raw(1, 1))
    token("ES256: in DER", SIGNATURE, key=lambda m: der(*EC.pair(m)))
    token("RS256: the number plus the modulus", SIGNATURE, rs(), change=broken(
        lambda data: (int.from_bytes(data, "big") + RSA.n).to_bytes(257, "big")))
    short = lambda info, size: b"\0\1" + b"\xff" * 8 + b"\0" + info + b"\0" * (size - len(info) - 11)
    token("RS256: short padding, rubbish after the digest", SIGNATURE, rs(), key=lambda m: RSA.sign(m, padding=short))
    zeros = lambda info, size: b"\0\1" + b"\0" * (size - len(info) - 3) + b"\0" + info
    token("RS256: zeros as padding", SIGNATURE, rs(), key=lambda m: RSA.sign(m, padding=zeros))
    other = lambda info, size: b"\0\2" + b"\xff" * (size - len(info) - 3) + b"\0" + info
    token("RS256: padding of encryption", SIGNATURE, rs(), key=lambda m: RSA.sign(m, padding=other))


def key_strength():
    weak, wide, exponent_3 = Rsa(1024), Rsa(3072), Rsa(2048, 3)
    token("RSA of 1024 bits", UNKNOWN, rs(), key=weak, keys=[weak.jwk("r1")])
    token("RSA of 3072 bits", "ok", rs(), key=wide, keys=[wide.jwk("r1")])
    token("RSA with the exponent 3", "ok", rs(), key=exponent_3, keys=[exponent_3.jwk("r1")])
    one = {**RSA.jwk("r1"), "e": number(1)}
    forged = lambda m: b"\0\1" + b"\xff" * (256 - 54) + b"\0" + bytes.fromhex(Rsa.PREFIXES["sha256"]) + hashlib.sha256(m).digest()
    token("RSA with the exponent 1", UNKNOWN, rs(), key=forged, keys=[one])
    token("RSA with an even exponent", UNKNOWN, rs(), keys=[{**RSA.jwk("r1"), "e": number(65536)}])
    token("RSA with an even modulus", UNKNOWN, rs(), keys=[{**RSA.jwk("r1"), "n": number(RSA.n + 1)}])
    token("RSA with the modulus 0", UNKNOWN, rs(), keys=[{**RSA.jwk("r1"), "n": "AA"}])
    token("RSA with no modulus", UNKNOWN, rs(), keys=[{k: v for k, v in RSA.jwk("r1").items() if k != "n"}])
    token("RSA with zeros before the modulus", "ok", rs(), keys=[{**RSA.jwk("r1"), "n": b64(bytes(4) + RSA.n.to_bytes(256, "big"))}])
    token("RSA in base64 of the other alphabet", UNKNOWN, rs(), keys=[{**RSA.jwk("r1"), "n": "+/" + number(RSA.n)[2:]}])
    x, y = EC.point
    for name, point in (("not on the curve", (x, y + 1)), ("at infinity", (0, 0)), ("beyond the field", (P, y))):
        bad = {**EC.jwk("e1"), "x": b64(point[0].to_bytes(32, "big")), "y": b64(point[1].to_bytes(32, "big"))}
        token(f"a point {name}", ("id-token-key-unknown", SIGNATURE), keys=[bad])
    token("a coordinate too short", UNKNOWN, keys=[{**EC.jwk("e1"), "x": b64(b"\1" * 31)}])
    token("a coordinate too long", UNKNOWN, keys=[{**EC.jwk("e1"), "x": b64(b"\0" + x.to_bytes(32, "big"))}])
    token("the curve is another", UNKNOWN, keys=[EC.jwk("e1", crv="P-384")])
    token("the key is for encryption", UNKNOWN, keys=[EC.jwk("e1", use="enc")])
    token("the key is for signatures", "ok", keys=[EC.jwk("e1", use="sig")])
    token("the key is for making signatures only", UNKNOWN, keys=[EC.jwk("e1", key_ops=["sign"])])
    token("the key is for verifying", "ok", keys=[EC.jwk("e1", key_ops=["verify"])])
    token("the key is for another algorithm", UNKNOWN, rs(), keys=[RSA.jwk("r1", alg="RS512")])
    token("the key is for this algorithm", "ok", rs(), keys=[RSA.jwk("r1", alg="RS256")])
    token("a symmetric key", UNKNOWN, keys=[{"kty": "oct", "kid": "e1", "k": b64("secret")}])
    token("no keys", UNKNOWN, keys=[])
    token("two keys of one kid, one for another algorithm", "ok", rs(), keys=[RSA.jwk("r1", alg="RS256"), EVIL_RSA.jwk("r1", alg="RS512")])
    token("two keys of one kid, one for encryption", "ok", keys=[EVIL_EC.jwk("e1", use="enc"), EC.jwk("e1", use="sig")])
    token("two keys of one kid, one that is none", "ok", keys=[{"kty": "EC", "kid": "e1"}, EC.jwk("e1")])
    token("the same key twice", UNKNOWN, keys=[EC.jwk("e1"), EC.jwk("e1")])
    token("the key is for nothing", UNKNOWN, keys=[EC.jwk("e1", key_ops=[])])
    token("the key is for operations that are no list", UNKNOWN, keys=[EC.jwk("e1", key_ops="verify")])
    token("the key's use is of another case", UNKNOWN, keys=[EC.jwk("e1", use="SIG")])
    token("the key's kind is of another case", UNKNOWN, keys=[EC.jwk("e1", kty="ec")])
    token("the key is a private one", "ok", keys=[EC.jwk("e1", d=number(EC.d))])
    token("the key has padding", UNKNOWN, keys=[{**EC.jwk("e1"), "x": EC.jwk()["x"] + "="}])
    token("an elliptic key that says it is RSA", UNKNOWN, rs(), keys=[EC.jwk("r1", kty="RSA")])
    token("an RSA key with an elliptic key's parts, for RSA", "ok", rs(), keys=[{**EVIL_EC.jwk(), **RSA.jwk("r1")}])
    token("RSA with a huge exponent", (UNKNOWN, SIGNATURE), rs(), keys=[{**RSA.jwk("r1"), "e": number(2**2000 + 1)}])
    token("RSA with the exponent 0", UNKNOWN, rs(), keys=[{**RSA.jwk("r1"), "e": "AA"}])
    huge = Rsa.__new__(Rsa)
    huge.n, huge.e = (1 << 16_383) | 1, 65537
    token("RSA of 16384 bits", (UNKNOWN, SIGNATURE), rs(), keys=[huge.jwk("r1")])
    token("keys that are none beside the right one", "ok", keys=[7, None, "x", {}, {"kty": 7, "kid": "e1"}, EC.jwk("e1")])


def discovery():
    good = {"issuer": "https://idp.example", "authorization_endpoint": "https://idp.example/authorize",
            "token_endpoint": "https://idp.example/token", "jwks_uri": "https://idp.example/jwks"}
    def doc(name, expect, status=200, **changes):
        changed = {k: v for k, v in {**good, **changes}.items() if v is not ...}
        answer("discovery", name, expect, changed, status)
    wrong, mismatch = "provider-misconfigured", "issuer-mismatch"
    doc("a good configuration", "ok")
    doc("the issuer ends in a slash", "ok", issuer="https://idp.example/")
    doc("endpoints on another host", "ok", token_endpoint="https://tokens.example/t")
    doc("members that nobody knows", "ok", foo={"a": [1]}, scopes_supported=["openid"])
    for issuer in ("https://evil.example", "http://idp.example", "https://idp.example/x", "", "https://idp.example.", "x"):
        doc(f"the issuer is {issuer!r}", mismatch, issuer=issuer)
    for name in good:
        doc(f"no {name}", wrong, **{name: ...})
        doc(f"{name} is a number", wrong, **{name: 7})
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        for url in ("http://idp.example/x", "http://127.0.0.1:2375/x", "https://localhost/x", "https://[::1]/x", "https://0/x",
                    "javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "/relative", "", "https://", "https://a@idp.example/x",
                    "https://idp.example/x#y"):
            doc(f"{name} is {url!r}", wrong, **{name: url})
    for name in ("end_session_endpoint", "revocation_endpoint"):
        doc(f"{name} cannot be used, which costs nobody the sign-in", "ok", **{name: "http://127.0.0.1/x"})
    doc("PKCE with S256", "ok", code_challenge_methods_supported=["plain", "S256"])
    doc("PKCE without S256", wrong, code_challenge_methods_supported=["plain"])
    doc("PKCE with nothing", wrong, code_challenge_methods_supported=[])
    for body in ("", "null", "[]", "7", "<html>", "{", text(good) + "x", text(good)[:-1], '{"issuer":"https://idp.example"'):
        answer("discovery", f"the body is {body[:20]!r}", wrong, body)
    for status in (301, 302, 400, 401, 403, 404, 429, 500, 503):
        doc(f"status {status}", "provider-unreachable", status)
    for first, second in (("https://idp.example", "https://evil.example"), ("https://evil.example", "https://idp.example")):
        body = text(good).replace('"https://idp.example"', f'"{first}"', 1)[:-1] + f',"issuer":"{second}"' + "}"
        answer("discovery", f"issuer twice, first {first}", (wrong, mismatch), body)
    answer("discovery", "token_endpoint twice", wrong, text(good)[:-1] + ',"token_endpoint":"https://evil.example/t"}')
    answer("discovery", "with a byte order mark", ("ok", wrong), "\ufeff" + text(good))
    answer("discovery", "half a surrogate pair", wrong, text(good)[:-1] + ',"x":"\\ud83d"}')
    answer("discovery", "a number that is too large for a number", wrong, text(good)[:-1] + ',"x":1e400}')
    answer("discovery", "a name of 100,000 letters", "ok", text(good)[:-1] + ',"' + "x" * 100_000 + '":1}')
    answer("discovery", "strings with tag characters", mismatch, text({**good, "issuer": "https://idp.example\U000e0041"}))
    answer("discovery", "an issuer of 50,000 letters", mismatch, text({**good, "issuer": "https://idp.example/" + "x" * 50_000}))
    answer("discovery", "nested 10,000 deep", wrong, '{"a":' * 10_000)


def keys():
    good = {"keys": KEYS}
    answer("keys", "a good set", "ok", good)
    answer("keys", "an empty set", "ok", {"keys": []})
    answer("keys", "entries of all kinds", "ok", {"keys": [7, None, "x", [], {}, KEYS[0]]})
    answer("keys", "2,000 keys", "ok", {"keys": [EC.jwk(f"k{i}") for i in range(200)] * 10})
    for body in ("", "null", "[]", "7", "<html>", "{", '{"keys":', '{"keys":7}', '{"keys":null}', '{"keys":{}}', "{}", '{"keys":[]}x'):
        answer("keys", f"the body is {body!r}", "keys-unusable", body)
    for status in (302, 404, 500):
        answer("keys", f"status {status}", "provider-unreachable", good, status)
    answer("keys", "keys twice", "keys-unusable", '{"keys":[],"keys":[]}')
    answer("keys", "with a byte order mark", ("ok", "keys-unusable"), "\ufeff" + text(good))
    answer("keys", "kid twice in a key", "ok", '{"keys":[{"kty":"EC","kid":"a","kid":"b"}]}')
    answer("keys", "50,000 entries", "ok", {"keys": [1] * 50_000})
    answer("keys", "nested 10,000 deep", "keys-unusable", '{"keys":' + "[" * 10_000)


def token_endpoint():
    answer("tokens", "an ID token", "ok", {"id_token": "a.b.c"})
    answer("tokens", "with all the others", "ok", {"id_token": "a.b.c", "access_token": "x", "refresh_token": "r", "expires_in": 60})
    answer("tokens", "no ID token", "token-response-invalid", {"access_token": "x"})
    for value in (7, None, [], {}, True):
        answer("tokens", f"id_token is {value!r}", "token-response-invalid", {"id_token": value})
    for body in ("", "null", "[]", "<html>", "{", "id_token=a.b.c", '{"id_token":"a.b.c"}x'):
        answer("tokens", f"the body is {body!r}", "token-response-invalid", body)
    answer("tokens", "id_token twice", "token-response-invalid", '{"id_token":"a.b.c","id_token":"d.e.f"}')
    answer("tokens", "error_description without end", "token-refused", {"error": "invalid_grant", "error_description": "\u0301" * 20_000}, 400)
    answer("tokens", "expires_in is too large for a number", "token-response-invalid", '{"id_token":"a.b.c","expires_in":1e400}')
    answer("tokens", "an error with status 200", "token-refused", {"error": "invalid_grant"})
    answer("tokens", "an error beside a token", "token-refused", {"error": "invalid_grant", "id_token": "a.b.c"})
    for error in ("invalid_grant", "server_error", "\u001b]52;c;eA==\u0007", "\u202e", ""):
        answer("tokens", f"the error is {error!r}", "token-refused", {"error": error, "error_description": error}, 400)
    answer("tokens", "a token with status 400", "token-refused", {"id_token": "a.b.c"}, 400)
    answer("tokens", "a redirect", "token-refused", "", 302)
    answer("tokens", "too many", "provider-busy", {"error": "slow_down"}, 429)
    for status in (500, 502, 503, 504):
        answer("tokens", f"status {status}", "provider-unreachable", "<html>", status)


def sts():
    root = "AssumeRoleWithWebIdentityResponse"
    parts = {"AccessKeyId": "ASIA1", "SecretAccessKey": "s/+", "SessionToken": "t/+==", "Expiration": "2030-03-17T18:46:40Z"}
    arn = "arn:aws:sts::123456789012:assumed-role/example/s"
    def xml(arn=arn, **changes):
        inner = "".join(f"<{k}>{v}</{k}>" for k, v in {**parts, **changes}.items() if v is not None)
        return (f"<{root}><AssumeRoleWithWebIdentityResult><AssumedRoleUser><Arn>{arn}</Arn></AssumedRoleUser>"
                f"<Credentials>{inner}</Credentials></AssumeRoleWithWebIdentityResult></{root}>")
    bad = "sts-response-invalid"
    answer("sts", "good credentials", "ok", xml())
    answer("sts", "good credentials in JSON", "ok", {root: {"AssumeRoleWithWebIdentityResult": {"Credentials": {**parts, "Expiration": 1900090000}}}})
    answer("sts", "with a declaration and a comment", "ok", '<?xml version="1.0"?><!-- x -->' + xml())
    for name in parts:
        answer("sts", f"no {name}", bad, xml(**{name: None}))
        answer("sts", f"{name} is empty", bad, xml(**{name: " "}))
    for at in ("2029-01-01T00:00:00Z", "1900000000", "2030-03-17T17:46:40Z", "soon", "2030-13-17T18:46:40Z", "9999-12-31T23:59:59Z",
               "99999-01-01T00:00:00Z", "9223372036854775807", "1e300", "-1", "2030-03-17", "0"):
        answer("sts", f"Expiration is {at}", bad, xml(Expiration=at))
    for other in ("arn:aws:sts::999999999999:assumed-role/example/s", "arn:aws:sts::123456789012:assumed-role/admin/s"):
        answer("sts", f"of {other}", bad, xml(arn=other))
    for body in ("", "null", "{}", "[]", "<html>", "<a/>", f"<{root}/>", xml()[:-5], xml()[:80], xml().replace("</Credentials>", "", 1),
                 "\0" + xml(), "<" * 1000):
        answer("sts", f"the body is {body[:24]!r} ({len(body)})", bad, body)
    answer("sts", "with a namespace and a prefix", "ok", xml().replace("<", "<s:").replace("<s:/", "</s:"))
    answer("sts", "with a byte order mark", "ok", "\ufeff" + xml())
    answer("sts", "values in CDATA", "ok", xml(SessionToken="<![CDATA[t/+==]]>"))
    answer("sts", "a comment within a value", "ok", xml(SessionToken="t/<!-- x -->+=="))
    answer("sts", "a processing instruction within a value", "ok", xml(SessionToken="t/<?x y?>+=="))
    answer("sts", "references to characters", "ok", xml(SessionToken="&#116;&#x2f;+=="))
    for reference in ("&#0;", "&#x110000;", "&#xd800;", "&nbsp;", "&;", "&#;", "&x"):
        answer("sts", f"the reference {reference}", bad, xml(SessionToken=f"t{reference}"))
    answer("sts", "an element within a value", bad, xml(SecretAccessKey="<b>s</b>"))
    answer("sts", "a document type without entities", bad, "<!DOCTYPE x>" + xml())
    answer("sts", "parameter entities", bad, '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://evil.example/x">%a;]>' + xml())
    answer("sts", "credentials outside their element", bad, xml().replace("Credentials>", "Other>"))
    answer("sts", "two roots", bad, xml() + xml())
    answer("sts", "text behind the end", bad, xml() + "x")
    answer("sts", "an end that is another one's", bad, xml().replace("</Credentials>", "</Creds>"))
    answer("sts", "an error beside credentials", "sts-access-denied",
           xml().replace("</Credentials>", "</Credentials><Error><Code>AccessDenied</Code></Error>"))
    answer("sts", "300 elements", bad, xml().replace("</Credentials>", "</Credentials>" + "<a/>" * 300))
    answer("sts", "attributes without end", "ok", xml().replace("<Credentials>", "<Credentials " + "a='b' " * 1_000 + ">"))
    answer("sts", "a key with a control character", bad, xml(SecretAccessKey="s&#7;x"))
    answer("sts", "a key with a letter of another script", bad, xml(AccessKeyId="ASI\u0410"))
    answer("sts", "JSON with a number that is too large", bad,
           '{"%s":{"AssumeRoleWithWebIdentityResult":{"Credentials":{"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t","Expiration":1e400}}}}' % root)
    answer("sts", "JSON with half a surrogate pair", bad,
           '{"%s":{"AssumeRoleWithWebIdentityResult":{"Credentials":{"AccessKeyId":"\\ud83d","SecretAccessKey":"s","SessionToken":"t","Expiration":1900090000}}}}' % root)
    answer("sts", "entities that grow", bad,
           '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + xml(SessionToken="&b;"))
    answer("sts", "an entity of a file", bad, '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + xml(SessionToken="&a;"))
    answer("sts", "nested 10,000 deep", bad, "<a>" * 10_000 + "</a>" * 10_000)
    answer("sts", "JSON nested 10,000 deep", bad, '{"a":' * 10_000)
    for code, status, expect in (("AccessDenied", 403, "sts-access-denied"), ("ExpiredTokenException", 400, "sts-expired-token"),
                                 ("InvalidIdentityToken", 400, "sts-invalid-identity-token"), ("Throttling", 400, "sts-throttled"),
                                 ("PackedPolicyTooLarge", 400, "sts-policy-too-large"), ("\u202e\u001bX", 400, "sts-validation")):
        body = f"<ErrorResponse><Error><Code>{code}</Code><Message>m\u202e</Message></Error></ErrorResponse>"
        expect = expect if "\x1b" not in code else (expect, bad)
        answer("sts", f"the error is {code!r}", expect, body, status)
    answer("sts", "an error with status 200", "sts-access-denied", "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")
    answer("sts", "credentials with status 403", bad, xml(), 403)
    for status, expect in ((429, "sts-throttled"), (500, "sts-unavailable"), (503, "sts-unavailable"), (302, bad), (404, bad)):
        answer("sts", f"status {status}", expect, "<html>", status)


def redirects():
    base = "https://abc.chromiumapp.org/"
    def back(name, expect, query, at=base):
        answer("redirect", name, expect, url=at + query)
    wrong, state, issuer = "redirect-invalid", "state-mismatch", "redirect-issuer-mismatch"
    good = "?code=c&state=s-1&iss=https%3A%2F%2Fidp.example"
    back("a code", "ok", good)
    back("unknown parameters", "ok", good + "&session_state=x&foo=bar")
    back("a code with an empty fragment", "ok", good + "#")
    for query in ("", "?", "?code=c", "?code=c&state=", "?code=c&state=S-1", "?code=c&state=s-1%00", "?code=c&state=s-2", "?error=access_denied&state=s-2",
                  "#code=c&state=s-1", "?code=c&State=s-1"):
        back(f"the query is {query!r}", state, query)
    for query in ("?code=c&state=s-1", "?code=c&state=s-1&iss=", "?code=c&state=s-1&iss=https://idp.example/", "?code=c&state=s-1&iss=https://evil.example",
                  "?error=access_denied&state=s-1&iss=https://evil.example"):
        back(f"the query is {query!r}", issuer, query)
    for more in ("&code=d", "&state=s-1", "&state=s-2", "&iss=https%3A%2F%2Fidp.example", "&iss=https://evil.example"):
        back(f"twice: {more}", wrong, good + more)
    for query in ("?code=c&state=s-1&iss=https%3A%2F%2Fidp.example%00", "?code=c&state=s-1&iss=https%3A%2F%2FIDP.example",
                  "?code=c&state=s-1&iss=https%3A%2F%2Fidp.example%3A443", "?code=c&state=s-1&ISS=https%3A%2F%2Fidp.example"):
        back(f"the query is {query!r}", issuer, query)
    for query in ("?code=c;state=s-1", "?code=c&state=s-1%20", "?code=c&state=+s-1", "?code=c&state[]=s-1", "?code=c&%73tate=S-1", "?state=%ff"):
        back(f"the query is {query!r}", state, query)
    back("the state with an escape", "ok", good.replace("state=s-1", "%73tate=s%2D1"))
    back("a code twice, once with an escape", wrong, good + "&%63ode=d")
    back("an empty code", wrong, good.replace("code=c", "code="))
    back("neither code nor error", wrong, "?state=s-1&iss=https%3A%2F%2Fidp.example")
    for at in ("http://abc.chromiumapp.org/", "https://abd.chromiumapp.org/", "https://abc.chromiumapp.org:8443/",
               "https://abc.chromiumapp.org/provider-x", "https://abc.chromiumapp.org.evil.example/", "https://evil.example/"):
        back(f"at {at}", wrong, good, at)
    for error, expect in (("access_denied", "provider-denied"), ("login_required", "sign-in-needed"), ("consent_required", "sign-in-needed"),
                          ("invalid_scope", "provider-refused"), ("%1B%5D52", "provider-refused"), ("", "provider-refused")):
        back(f"the error is {error!r}", expect, f"?error={error}&state=s-1&iss=https%3A%2F%2Fidp.example")
    back("an error beside a code", "provider-denied", good + "&error=access_denied")


def more_tokens():
    """What somebody else would throw: it stands at the end, so that the numbers drawn for the others stay the same."""
    parts = (text({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "r1"}), "k" * 256, "i" * 12, text(CLAIMS), "t" * 16)
    token("an encrypted token", MALFORMED, change=lambda t: ".".join(b64(part) for part in parts))
    token("an encrypted token with no key", MALFORMED, change=lambda t: f"{b64(parts[0])}..{b64(parts[2])}.{b64(parts[3])}.{b64(parts[4])}")
    token("a detached payload", MALFORMED, change=lambda t: t.split(".")[0] + ".." + t.split(".")[2])
    token("cty is JWT, over claims", "ok", es(cty="JWT"))
    for names in (["urn:example:x"], ["alg"], ["kid", "alg"], [""], ["exp", "exp"], "exp", 7):
        token(f"crit is {names!r}", MALFORMED, es(crit=names, **{"urn:example:x": 1}))
    token("Crit is another name", "ok", es(Crit=["x"]))
    token("p2c asks for work", ALGORITHM, {"alg": "PBES2-HS256+A128KW", "p2c": 2**31, "p2s": "AA", "kid": "r1"}, key=RSA)
    token("alg has a tag character", ALGORITHM, {"alg": "RS256\U000e0041", "kid": "r1"}, key=RSA)
    token("alg of 10,000 letters", ALGORITHM, {"alg": "x" * 10_000, "kid": "r1"}, key=RSA)
    token("kid is an address that would have to be read", UNKNOWN, es(kid="https://evil.example/jwks#e1"))
    token("kid is JSON", UNKNOWN, es(kid=text(EVIL_EC.jwk("e1"))), key=EVIL_EC)
    for name in ("at_hash", "c_hash", "s_hash"):
        # An ID token from the token endpoint; no access token is used (OIDC Core 3.1.3.6 leaves them out).
        for value in ("AAAAAAAAAAAAAAAAAAAAAA", "", 7, None, ["x"]):
            token(f"{name} is {value!r}", "ok", payload={**CLAIMS, name: value})
    for value in ("1e308", "-1e308", "1e19", "18446744073709551615", "18446744073709551616", "-9223372036854775809", "1E5", "1900000600e0",
                  "19000006.00e2"):
        token(f"exp is the number {value}", INVALID, payload=text(claims(exp=1)).replace('"exp":1', f'"exp":{value}'))
        token(f"iat is the number {value}", INVALID, payload=text(claims(iat=1)).replace('"iat":1', f'"iat":{value}'))
    for minutes, expect in ((4, "ok"), (6, EARLY), (60, EARLY)):
        token(f"iat is {minutes} minutes ahead", expect, payload=claims(iat=NOW + 60 * minutes, exp=NOW + 7200))
        token(f"nbf is {minutes} minutes ahead", expect, payload=claims(nbf=NOW + 60 * minutes, exp=NOW + 7200))
    token("times in milliseconds", EARLY, payload=claims(iat=(NOW - 10) * 1000, exp=(NOW + 600) * 1000))
    token("iat in milliseconds", EARLY, payload=claims(iat=(NOW - 10) * 1000))
    token("exp in milliseconds", "ok", payload=claims(exp=(NOW + 600) * 1000))
    token("exp is before iat", "ok", payload=claims(exp=NOW - 200, iat=NOW - 100))
    token("nbf is null", "ok", payload=nulled("nbf"))
    for iss in ("https://idp.example:443/", "HTTPS://idp.example", "https://idp.example?", "https://idp.example#", "https://idp.example/.",
                "https://idp.example//", "https://idp%2eexample", "https://idp\u3002example", "https://idp.example.", "https://idp.example\u200b",
                "https://idp.example\n", "https://user@idp.example", "//idp.example", "https:idp.example", "https:///idp.example",
                "https://idp.example\\", "https://xn--idp.example", "https://idp.example;", "https://idp.example\U000e0041"):
        token(f"iss is {iss!r}", ISSUER, payload=claims(iss=iss))
    for iss in (["https://idp.example"], ["https://idp.example", "https://evil.example"], {"https://idp.example": 1}, 0, False):
        token(f"iss is {iss!r}", INVALID, payload=claims(iss=iss))
    for aud in ({"client": True}, {"aud": "client"}, 0, False, [None], ["client", None], [["client"], "client"], ["client", {"a": 1}]):
        token(f"aud is {aud!r}", INVALID, payload=claims(aud=aud))
    for aud in ("client/", "client#", "client?x", "CLIENT", "client\u200b", "\u0000client", "urn:client", "[\"client\"]", "client client",
                ["Client"], ["client "], ["c", "lient"]):
        token(f"aud is {aud!r}", AUDIENCE, payload=claims(aud=aud))
    token("aud is several, azp is null", MISSING, payload={**claims(aud=["client", "other"]), "azp": None})
    token("aud is several, azp is empty", AUDIENCE, payload=claims(aud=["client", "other"], azp=""))
    token("aud is several, azp is of another case", AUDIENCE, payload=claims(aud=["client", "other"], azp="Client"))
    token("azp is a number", INVALID, payload=claims(azp=7))
    for nonce in (["n-1"], ["n-1", "n-2"], {"n-1": 1}, True, 0):
        token(f"nonce is {nonce!r}", INVALID, payload=claims(nonce=nonce))
    for nonce in ("n-1\u200b", "\u006e\u20111", "n-1n-1", "N-1", "n-", "n%2D1", "bi0x"):
        token(f"nonce is {nonce!r}", NONCE, payload=claims(nonce=nonce))
    for sub in ("x" * 10_000, "\u202e", "\u001b]52;c;eA==\u0007", " ", "\U000e0041", "a\u0301" * 500, "'; DROP TABLE users; --"):
        token(f"sub is {sub[:20]!r}", "ok", payload=claims(sub=sub))
    token("email draws over its neighbours", "ok", payload=claims(email="Z" + "\u0301" * 500))
    for value in (7, True, {"a": 1}, [7], None, "a", [["a"]]):
        token(f"groups is {value!r}", "ok", payload={**CLAIMS, "groups": value})
    token("groups of 2,000", "ok", payload=claims(groups=[f"g{i}" for i in range(2_000)]))
    token("roles of 500 that are none", "ok", payload=claims(roles=["arn:aws:iam::1:role/x"] * 500))
    token("__proto__ and constructor", "ok", payload=text(CLAIMS)[:-1] + ',"__proto__":{"sub":"bob"},"constructor":{"prototype":{"iss":"x"}}}')
    token("__proto__ twice", DUPLICATE, payload=text(CLAIMS)[:-1] + ',"__proto__":1,"__proto__":2}')
    token("a name that is empty, twice", DUPLICATE, payload=text(CLAIMS)[:-1] + ',"":1,"":2}')
    token("iss twice, once with a surrogate pair's escape", DUPLICATE, payload=text({**CLAIMS, "\U0001f680": 1})[:-1] + ',"\\ud83d\\ude80":2}')
    token("sub in another normal form is another claim", "ok", payload={**CLAIMS, "s\u0075\u0308b": "x", "s\u00fcb": "y"})
    token("low surrogate first", MALFORMED, payload=text(CLAIMS)[:-1] + ',"x":"\\ude80\\ud83d"}')
    token("half a surrogate pair in a name", MALFORMED, payload=text(CLAIMS)[:-1] + ',"\\ud83d":1}')
    token("half a surrogate pair in the header", MALFORMED, '{"alg":"ES256","kid":"e1","x":"\\ud83d"}')
    token("surrogates in UTF-8 (CESU-8)", MALFORMED, payload=text(CLAIMS)[:-1].encode() + b',"x":"\xed\xa0\xbd\xed\xba\x80"}')
    token("in UTF-16", MALFORMED, payload=text(CLAIMS).encode("utf-16"))
    token("NUL behind the claims", MALFORMED, payload=text(CLAIMS).encode() + b"\0")
    token("an escape that JSON has not", MALFORMED, payload=text(CLAIMS)[:-1] + ',"x":"\\x41"}')
    token("a form feed between members", MALFORMED, payload=text(CLAIMS).replace(",", "\f,", 1))
    token("a vertical tab before the claims", MALFORMED, payload="\v" + text(CLAIMS))
    token("a no-break space before the claims", MALFORMED, payload="\u00a0" + text(CLAIMS))
    token("a line separator before the claims", MALFORMED, payload="\u2028" + text(CLAIMS))
    token("a comment within the claims", MALFORMED, payload=text(CLAIMS).replace(",", "/* */,", 1))
    token("two documents", MALFORMED, payload=text(CLAIMS) + text(CLAIMS))
    token("a list of claims", MALFORMED, payload=text([CLAIMS]))
    short, odd, wide = Rsa(1536), Rsa(2048), Rsa(4096)
    odd.n >>= 1
    token("RSA of 1536 bits", UNKNOWN, rs(), key=short, keys=[short.jwk("r1")])
    token("RSA of 2047 bits", (UNKNOWN, SIGNATURE), rs(), keys=[odd.jwk("r1")])
    token("RSA of 4096 bits", "ok", rs("RS512"), key=wide, keys=[wide.jwk("r1")])
    token("RSA with the exponent 2", UNKNOWN, rs(), keys=[{**RSA.jwk("r1"), "e": number(2)}])
    token("RSA with an empty exponent", UNKNOWN, rs(), keys=[{**RSA.jwk("r1"), "e": ""}])
    token("RSA with zeros before the exponent", "ok", rs(), keys=[{**RSA.jwk("r1"), "e": "AAAAAQAB"}])
    token("RSA with the modulus as a number", UNKNOWN, rs(), keys=[{**RSA.jwk("r1"), "n": 7}])
    token("RSA with the modulus in hexadecimal", (UNKNOWN, SIGNATURE), rs(), keys=[{**RSA.jwk("r1"), "n": f"{RSA.n:x}"}])
    token("RSA with modulus and exponent swapped", (UNKNOWN, SIGNATURE), rs(), keys=[{**RSA.jwk("r1"), "n": number(RSA.e), "e": number(RSA.n)}])
    flipped = {**EC.jwk("e1"), "x": EC.jwk()["y"], "y": EC.jwk()["x"]}
    token("the coordinates swapped", (UNKNOWN, SIGNATURE), keys=[flipped])
    token("no second coordinate", UNKNOWN, keys=[{k: v for k, v in EC.jwk("e1").items() if k != "y"}])
    token("the curve's other name", UNKNOWN, keys=[EC.jwk("e1", crv="secp256r1")])
    token("the curve of Bitcoin", UNKNOWN, keys=[EC.jwk("e1", crv="secp256k1")])
    token("an Edwards key", UNKNOWN, keys=[{"kty": "OKP", "crv": "Ed25519", "kid": "e1", "x": EC.jwk()["x"]}])
    x, y = EC.point
    mirrored = {**EC.jwk("e1"), "y": b64((P - y).to_bytes(32, "big"))}
    token("the point mirrored", SIGNATURE, keys=[mirrored])
    token("the generator as the key", SIGNATURE, keys=[{**EC.jwk("e1"), "x": b64(G[0].to_bytes(32, "big")), "y": b64(G[1].to_bytes(32, "big"))}])
    token("a certificate beside the right key", "ok", keys=[EC.jwk("e1", x5c=["MIIB"], x5t="AA", **{"x5t#S256": "AA"})])
    token("a certificate in place of a key", UNKNOWN, rs(), keys=[{"kty": "RSA", "kid": "r1", "x5c": ["MIIB"]}])
    token("key_ops is null", ("ok", UNKNOWN), keys=[EC.jwk("e1", key_ops=None)])
    token("use is null", ("ok", UNKNOWN), keys=[EC.jwk("e1", use=None)])
    token("alg of the key is null", ("ok", UNKNOWN), keys=[EC.jwk("e1", alg=None)])
    token("kid of the key is a number", UNKNOWN, keys=[{**EC.jwk(), "kid": 7}])
    token("kid of the key is null", UNKNOWN, keys=[{**EC.jwk(), "kid": None}])


def more_answers():
    good = {"issuer": "https://idp.example", "authorization_endpoint": "https://idp.example/authorize",
            "token_endpoint": "https://idp.example/token", "jwks_uri": "https://idp.example/jwks"}
    wrong, mismatch = "provider-misconfigured", "issuer-mismatch"
    def doc(name, expect, **changes):
        answer("discovery", name, expect, {k: v for k, v in {**good, **changes}.items() if v is not ...})
    for issuer in ("https://user@idp.example", "https://user:pass@idp.example", "https://idp.example#x", "https://idp.example?x", "https://idp.example:8443",
                   "https://idp.example/..%2f", "https://idp.example\\x", "//idp.example", "https:", "javascript:alert(1)", "data:,x", "https://idp.example/%2e%2e/x",
                   " https://idp.example", "https://idp.example ", "https://idp.exa\nmple", "https://idp.example\t", "\u0000https://idp.example",
                   "https://idp.example\u200b", "https://idp\u3002example", "https://\uff49dp.example", "{issuer}", "https://idp.example/.well-known/openid-configuration"):
        doc(f"the issuer is {issuer!r}", mismatch, issuer=issuer)
    for issuer in ("https://IDP.example", "https://idp.example:443"):
        # The same address. The `iss` of its tokens has to be this to the letter.
        doc(f"the issuer is {issuer!r}", "ok", issuer=issuer)
    for issuer in (["https://idp.example"], {"a": 1}, True, None):
        doc(f"the issuer is {issuer!r}", wrong, issuer=issuer)
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        for url in ("https://user:pass@idp.example/x", "https://idp.example/#", "https://idp.example:99999/", "https://idp.example:-1/", "ftp://idp.example/",
                    "ws://idp.example/", "wss://idp.example/", "view-source:https://idp.example/", "blob:https://idp.example/x", "about:blank",
                    "chrome-extension://abc/x", "vbscript:x", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "//evil.example/x",
                    "https://127.0.0.1/", "https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://[::ffff:127.0.0.1]/", "https://localhost./",
                    "https://LOCALHOST/", "https://x.localhost/", "http://[::1]:2375/", "http://0.0.0.0/", "https://[::]/", "https://exa mple/", "https://%00/",
                    ["https://idp.example/x"], {"a": 1}, True):
            doc(f"{name} is {url!r}", wrong, **{name: url})
    # Who is asked there is decided when the address is known: public addresses only, unless the settings say otherwise.
    for url in ("https://10.0.0.1/x", "https://169.254.169.254/latest/meta-data/", "https://intranet/x", "https://[fd00::1]/x"):
        doc(f"token_endpoint is {url!r}", "ok", token_endpoint=url)
    doc("an endpoint with parameters", "ok", authorization_endpoint="https://idp.example/authorize?client_id=evil&redirect_uri=https://evil.example")
    for name in ("authorization_response_iss_parameter_supported", "prompt_values_supported", "code_challenge_methods_supported"):
        for value in ("true", 1, None, {"a": 1}, [7]):
            doc(f"{name} is {value!r}", "ok", **{name: value})
    for methods in (["s256"], ["S256 "], ["S512", "plain"], [""]):
        doc(f"PKCE with {methods!r}", wrong, code_challenge_methods_supported=methods)
    for name in ("authorization_endpoint", "jwks_uri", "issuer"):
        answer("discovery", f"{name} twice, once with an escape", (wrong, mismatch),
               text(good)[:-1] + f',"\\u{ord(name[0]):04x}{name[1:]}":"https://evil.example/x"' + "}")
    answer("discovery", "a list with the configuration", wrong, [good])
    answer("discovery", "two configurations", wrong, text(good) + text(good))
    answer("discovery", "as JSON with padding", wrong, f"callback({text(good)})")
    answer("discovery", "behind a prefix against inclusion", wrong, ")]}'\n" + text(good))
    answer("discovery", "scopes of 10,000", "ok", {**good, "scopes_supported": ["x"] * 10_000})
    for status in (201, 204, 206, 304, 418, 511):
        answer("discovery", f"status {status}", "provider-unreachable", good, status)

    unusable = "keys-unusable"
    answer("keys", "kid of 20,000 letters", "ok", {"keys": [EC.jwk("x" * 20_000)]})
    answer("keys", "a modulus of 20,000 letters", "ok", {"keys": [{**RSA.jwk("r1"), "n": "A" * 20_000}]})
    answer("keys", "names of other cases", unusable, {"Keys": KEYS})
    answer("keys", "a key in place of a set", unusable, KEYS[0])
    answer("keys", "a list of keys", unusable, KEYS)
    answer("keys", "certificates by their ids", unusable, {"r1": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"})
    answer("keys", "keys twice, once with an escape", unusable, '{"keys":[],"\\u006beys":[]}')
    answer("keys", "half a surrogate pair", unusable, '{"keys":[{"kid":"\\ud83d"}]}')
    for status in (201, 204, 206, 304, 401, 429):
        answer("keys", f"status {status}", "provider-unreachable", good, status)

    invalid, refused = "token-response-invalid", "token-refused"
    for kind in ("mac", "MAC", "DPoP", "", 7, None):
        # The access token is not used, whatever it is.
        answer("tokens", f"token_type is {kind!r}", "ok", {"id_token": "a.b.c", "access_token": "x", "token_type": kind})
    answer("tokens", "id_token is empty, which the next step refuses", "ok", {"id_token": ""})
    answer("tokens", "id_token twice, once with an escape", invalid, '{"id_token":"a.b.c","\\u0069d_token":"d.e.f"}')
    answer("tokens", "refresh_token twice", invalid, '{"id_token":"a.b.c","refresh_token":"x","refresh_token":"y"}')
    for name in ("ID_TOKEN", "idToken", "id-token", "id_token "):
        answer("tokens", f"{name!r} in place of id_token", invalid, {name: "a.b.c"})
    answer("tokens", "a list of answers", invalid, [{"id_token": "a.b.c"}])
    answer("tokens", "an answer within an answer", invalid, {"data": {"id_token": "a.b.c"}})
    answer("tokens", "in XML", invalid, "<id_token>a.b.c</id_token>")
    answer("tokens", "as JSON with padding", invalid, 'x({"id_token":"a.b.c"})')
    answer("tokens", "two answers", invalid, '{"id_token":"a.b.c"}{"id_token":"d.e.f"}')
    answer("tokens", "in a sign-in page", invalid, "<!doctype html><form action='/login'>", 200)
    answer("tokens", "half an answer", invalid, '{"id_token":"a.b.c","refresh_to')
    answer("tokens", "half a surrogate pair", invalid, '{"id_token":"a.b.c","x":"\\ud83d"}')
    answer("tokens", "nested 2,000 deep", invalid, '{"id_token":' * 2_000)
    for status in (401, 403, 404, 405, 415):
        answer("tokens", f"a client that is refused with status {status}", "secret-wanted", {"error": "invalid_client", "error_description": "\u001b[2J\u202e"}, status)
    for status in (301, 303, 307, 308):
        answer("tokens", f"a token with status {status}", refused, {"id_token": "a.b.c"}, status)
    answer("tokens", "an error of a kind of its own", refused, {"error": {"code": 7, "message": "x"}}, 400)
    answer("tokens", "an error that is a number", refused, {"error": 7}, 400)

    root = "AssumeRoleWithWebIdentityResponse"
    parts = {"AccessKeyId": "ASIA1", "SecretAccessKey": "s/+", "SessionToken": "t/+==", "Expiration": "2030-03-17T18:46:40Z"}
    def xml(root=root, **changes):
        inner = "".join(f"<{k}>{v}</{k}>" for k, v in {**parts, **changes}.items())
        return f"<{root}><Result><Credentials>{inner}</Credentials></Result></{root}>"
    bad = "sts-response-invalid"
    for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"):
        more = f"<{name}>{parts[name]}</{name}>"
        answer("sts", f"{name} twice", bad, xml().replace("</Credentials>", more + "</Credentials>"))
    answer("sts", "credentials twice", bad, xml().replace("<Result>", "<Result>" + xml()[len(root) + 10:xml().index("</Result>")]))
    answer("sts", "credentials twice in JSON", bad, '{"%s":{"Credentials":%s,"x":{"Credentials":%s}}}' % (root, text(parts), text(parts)))
    for value in ("s\0", "s\u007f", "s\u0085x", "s\u00a0x", "s\u200bx", "s\u2028x", "s\u202ex", "\ufeffs", "s&#x1b;x", "s&#xa0;x", "s\U000e0041x"):
        answer("sts", f"SecretAccessKey is {value!r}", bad, xml(SecretAccessKey=value))
        answer("sts", f"SecretAccessKey is {value!r}, in JSON", bad,
               {root: {"Credentials": {**parts, "SecretAccessKey": value.replace("&#x1b;", "\x1b").replace("&#xa0;", "\xa0")}}})
    for value in ("s\"x", "s'x", "s`x", "s$(x)", "s\\x", "s%PATH%x", "s#x", "s;x", "s=x", "[s]"):
        # Whoever writes them somewhere quotes them.
        answer("sts", f"SecretAccessKey is {value!r}", "ok", xml(SecretAccessKey=value))
    answer("sts", "values that were wrapped", "ok", xml(SessionToken="t/\r\n\t+=="))
    for at in ("2030-03-17T18:46:40", "2030-03-17 18:46:40Z", "2030-03-17t18:46:40z", "20300317T184640Z", "2030-076T18:46:40Z", "2030-W11-7T18:46:40Z",
               "Sun, 17 Mar 2030 18:46:40 GMT", "17/03/2030", "2030-03-17T18:46:40 (x) Z", "2030-03-17T18:46:40 GMT+0900 Z", "2030-03-17T18:46:40 Europe/Berlin",
               "2030-00-17T18:46:40Z", "2030-03-32T18:46:40Z", "2030-03-17T25:46:40Z", "2030-03-17T18:61:40Z", "-2030-03-17T18:46:40Z", "NaN", "Infinity", "null",
               "1.9e99", "0x7fffffff", "1900000000000", "2000-01-01T00:00:00Z", "1900000000.5"):
        answer("sts", f"Expiration is {at}", bad, xml(Expiration=at))
    for at in ("2030-03-18T03:46:40+09:00", "2030-03-17T18:46:40.999999999999Z", "2030-03-17T18:46:40-00:00", "2030-03-17T18:46:40+00:00", "1900090000"):
        answer("sts", f"Expiration is {at}", "ok", xml(Expiration=at))
    for other in ("AssumeRoleWithSAMLResponse", "GetSessionTokenResponse", "Response", "html", "AssumeRoleWithWebIdentityResponses", root.lower()):
        answer("sts", f"the root is {other}", bad, xml(other))
    answer("sts", "another namespace", "ok", xml().replace(f"<{root}>", f'<{root} xmlns="urn:example:other">'))
    answer("sts", "a prefix that is not declared", "ok", xml().replace("<", "<x:").replace("<x:/", "</x:"))
    answer("sts", "empty credentials", bad, f"<{root}><Credentials/></{root}>")
    answer("sts", "no credentials", bad, f"<{root}><Result></Result></{root}>")
    answer("sts", "credentials in attributes", bad, f'<{root}><Credentials AccessKeyId="A" SecretAccessKey="s" SessionToken="t" Expiration="2030-03-17T18:46:40Z"/></{root}>')
    answer("sts", "credentials in a comment", bad, f"<{root}><!--{xml()}--></{root}>")
    answer("sts", "credentials in CDATA", bad, f"<{root}><![CDATA[{xml()}]]></{root}>")
    answer("sts", "credentials in a sign-in page", bad, f"<html><body>{xml()}</body></html>")
    answer("sts", "an error within credentials", "sts-access-denied", xml(SessionToken="<Error><Code>AccessDenied</Code></Error>"))
    answer("sts", "two documents", bad, xml() + "\n" + xml())
    answer("sts", "a comment without end", bad, "<!--" + xml())
    answer("sts", "CDATA without end", bad, xml(SessionToken="<![CDATA[t"))
    answer("sts", "an attribute twice", ("ok", bad), xml().replace("<Credentials>", "<Credentials a='1' a='2'>"))
    answer("sts", "a declaration of another encoding", "ok", '<?xml version="1.0" encoding="UTF-16"?>' + xml())
    answer("sts", "a declaration of XML 1.1", "ok", '<?xml version="1.1"?>' + xml())
    answer("sts", "a declaration in the middle", ("ok", bad), xml().replace("<Result>", '<Result><?xml version="1.0"?>'))
    answer("sts", "a style sheet", "ok", '<?xml-stylesheet href="https://evil.example/x.xsl"?>' + xml())
    answer("sts", "XInclude", bad, xml(SessionToken='<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'))
    answer("sts", "JSON that is a list", bad, [{root: {"Credentials": parts}}])
    answer("sts", "JSON behind a prefix against inclusion", bad, ")]}'\n" + text({root: {"Credentials": parts}}))
    answer("sts", "half of the JSON", bad, text({root: {"Credentials": parts}})[:-3])
    answer("sts", "JSON with keys of other cases", bad, {root: {"credentials": {"accessKeyId": "A", "secretAccessKey": "s", "sessionToken": "t"}}})
    answer("sts", "JSON with a time that is a date", "ok", {root: {"Credentials": parts}})
    for status in (204, 304, 401, 402, 418):
        answer("sts", f"credentials with status {status}", (bad, "ok") if status == 204 else bad, xml(), status)
    for code in ("AccessDenied ", "accessdenied", "", "X" * 5_000, "Access\u200bDenied", "<b/>"):
        answer("sts", f"the error is {code[:20]!r} of another service", ("sts-access-denied", "sts-validation", bad),
               f"<ErrorResponse><Error><Code>{code}</Code><Message>{'m' * 2_000}</Message></Error></ErrorResponse>", 403)

    def back(name, expect, url):
        answer("redirect", name, expect, url=url)
    base, query = "https://abc.chromiumapp.org/", "?code=c&state=s-1&iss=https%3A%2F%2Fidp.example"
    for at in ("https://abc.chromiumapp.org@evil.example/", "https://evil.example/abc.chromiumapp.org/", "https://abc.chromiumapp.org./", "https://abc.chromiumapp.org\\.evil.example/",
               "https://abc.chromiumapp.org//", "https://abc.chromiumapp.org/%2e%2e/x", "https://abc.chromiumapp.org/x/../y",
               "chrome-extension://abc/", "data:text/html,", "javascript:alert(1)//", "http://127.0.0.1/", "https://abc%2echromiumapp.org:444/"):
        back(f"at {at}", "redirect-invalid", at + query)
    for at in ("https://ABC.chromiumapp.org/", "https://abc.chromiumapp.org:443/", "HTTPS://abc.chromiumapp.org/", "https://abc.chromiumapp.org/./", "https://abc.chromiumapp.org",
               "https://user@abc.chromiumapp.org/"):
        back(f"at {at}, which is the same", "ok", at + query)
    for more in ("?code=d", "&code=", "&error=access_denied&error=x", "&state=", "&%73tate=s-1", "&iss="):
        back(f"more of it: {more}", ("redirect-invalid", "redirect-issuer-mismatch", "provider-denied"), base + query + more)
    for parts in ("?response=a.b.c", "#code=c&state=s-1", "?code=c#state=s-1", "?code=c%26state=s-1", "?state=s-1%26code=c&iss=x", "?code=c&state=s%2D1%00",
                  "?code=c&state=s-1\u200b", "?code=c&state=%73-2", "?code=c&STATE=s-1", "?code=c&state%00=s-1", "??code=c&state=s-2", "?code=c&amp;state=s-1"):
        back(f"the query is {parts!r}", "state-mismatch", base + parts)
    for iss in ("https://idp.example%2F", "https://idp.example%23", "https://idp.example%0A", "+https://idp.example", "https://idp%2Eexample%3F", "https://IDP.example",
                "https://idp.ex%D0%B0mple", "null", "https://user@idp.example"):
        back(f"iss is {iss}", "redirect-issuer-mismatch", f"{base}?code=c&state=s-1&iss={iss}")
    back("a code of 10,000 letters", "ok", base + query.replace("code=c", "code=" + "c" * 10_000))
    back("a code with a line break and a NUL", "ok", base + query.replace("code=c", "code=c%0A%00"))
    back("5,000 parameters", "ok", base + query + "&x=y" * 5_000)


for make in (algorithms, key_ids, embedded_keys, kinds, duplicates, claims_of_all_kinds, parties, times_at_the_borders, unicode,
             forms, signatures, key_strength, discovery, keys, token_endpoint, sts, redirects, more_tokens, more_answers):
    make()

folder = pathlib.Path(__file__).parent
for name, rows in (("tokens", tokens), ("answers", answers)):
    lines = (json.dumps(row, ensure_ascii=True) for row in rows)
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    print(f"{name}: {len(rows)}")
