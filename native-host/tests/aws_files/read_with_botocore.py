"""Reads folders named on standard input as botocore does and prints each one's profiles as a line of JSON."""

import json
import os
import sys

import botocore.exceptions
import botocore.session

session = botocore.session.Session()
for folder in sys.stdin.read().splitlines():
    # A session reads its files once; making one is far slower than reading them.
    session._config = None
    session.set_config_variable("config_file", os.path.join(folder, "config"))
    session.set_config_variable("credentials_file", os.path.join(folder, "credentials"))
    try:
        profiles = session.full_config["profiles"]
    except botocore.exceptions.ConfigParseError as error:
        print("error", " ".join(str(error).split()))
        continue
    print(
        json.dumps(
            {
                name: {key: value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()}
                for name, keys in profiles.items()
            }
        )
    )
