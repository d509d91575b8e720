"""The design of the paper, as its text says, to measure against: python paper_design.py PORT DATABASE HOME

Flask's own threaded server, PyTorch on the processor, ResNet34 at 224 px, the photo decoded in full; then the rows of
the class from SQL, read from the catalogue in DATABASE whose home is HOME. Nothing of it is used elsewhere.
"""

from __future__ import annotations

import io
import sys

import numpy as np
import torch
import torchvision
from flask import Flask, jsonify, request
from PIL import Image
from sqlalchemy import create_engine, make_url, text

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
DEVIATION = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
CLASSES = 17
ROWS = text(
    "SELECT offers.id, title, link, lowest_price, offers.picture FROM offers"
    " JOIN offer_classes ON offer_classes.offer_id = offers.id WHERE axis = 'style' AND slug = :slug"
)
SLUGS = text("SELECT DISTINCT slug FROM offer_classes WHERE axis = 'style' ORDER BY slug")


def make_app(database: str) -> Flask:
    app = Flask("paper")
    # Without our own options, which say how to encrypt.
    engine = create_engine(make_url(database).set(drivername="mariadb+pymysql", query={}), pool_size=32)
    network = torchvision.models.resnet34(num_classes=CLASSES).eval()
    with engine.connect() as connection:
        slugs = list(connection.scalars(SLUGS))

    @app.post("/search")
    def search() -> object:
        photo = Image.open(io.BytesIO(request.files["photo"].read())).convert("RGB").resize((224, 224))
        pixels = torch.from_numpy(np.asarray(photo).copy()).permute(2, 0, 1).float() / 255
        with torch.no_grad():
            shares = network(((pixels - MEAN) / DEVIATION)[None]).softmax(1)[0]
        slug = slugs[int(shares.argmax()) % len(slugs)]
        with engine.connect() as connection:
            rows = [row._asdict() for row in connection.execute(ROWS, {"slug": slug}).fetchmany(24)]
        return jsonify(
            label=slug,
            confidence=float(shares.max()),
            products=[{**row, "lowest_price": int(row["lowest_price"])} for row in rows],
        )

    return app


if __name__ == "__main__":
    make_app(sys.argv[2]).run("127.0.0.1", int(sys.argv[1]), threaded=True)
