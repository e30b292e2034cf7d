# A service as anybody writes it, which knows neither tracing nor Keyway: it calls the next one, and hands its answer back.
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/<path:path>")
def hand_back(path):
    answer = requests.get(f"{os.environ['NEXT']}/{path}", timeout=30)
    return answer.content, answer.status_code, {"content-type": "application/json"}


app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
