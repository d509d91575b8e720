"""Writes the manifest that the shipped model learned by: `python docs/models/clothes.py ROOT`.

ROOT holds data/ (that of ../shared) and drawings/ (`mapsi sample draw ROOT/drawings --per-class 60 --nothing 300 --seed
7`). Beside ROOT/manifest.csv it writes ROOT/masks/: where flat pictures show their garment.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Mapping
from hashlib import md5, sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from mapsi.catalog.text.colors import ColorReader
from mapsi.dataset.manifest import Entry, Manifest, ManifestPart, build_manifest, write_manifest
from mapsi.dataset.photos import GROUPS, Sample, read_labels
from mapsi.dataset.plan import PhotoFolder
from mapsi.imaging import Box
from mapsi.learn.photos import UNKNOWN
from mapsi.taxonomy import load_taxonomy
from mapsi.taxonomy.synonyms import load_colors

Entries = Iterator[Entry]
TEN = ("dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts", "skirt", "t-shirt")
STYLELESS = ("hat", "shoes", "shorts", "skirt")
# Folders of clothing/other under our names, and styles of paper17 that tell the garment too.
OTHERS = {
    "blazer": "blazer",
    "blouse": "blouse",
    "hoodie": "hoodie",
    "polo": "polo",
    "top": "top",
    "undershirt": "tank-top",
}
WORN_STYLES = {
    "one-piece": "dress", "slacks": "slacks", "wide-pants": "pants", "shirt": "shirt", "nanbang": "shirt",
    "linen-shirt": "shirt", "blouse": "blouse", "knit": "sweater", "women-cardigan": "cardigan", "suit": "blazer",
}  # fmt: skip
OF_WOMEN = ("women-cardigan", "blouse", "one-piece")
# articleType of products.csv.
KINDS = {
    "Tshirts": "t-shirt", "Shirts": "shirt", "Casual Shoes": "sneakers", "Tops": "top", "Kurtas": "tunic",
    "Sports Shoes": "sneakers", "Watches": "watch", "Handbags": "handbag", "Heels": "heels", "Sunglasses": "sunglasses",
    "Sweaters": "sweater", "Flip Flops": "flip-flops", "Sandals": "sandals", "Wallets": "wallet",
    "Sweatshirts": "sweatshirt", "Belts": "belt", "Trousers": "slacks", "Formal Shoes": "formal-shoes", "Socks": "socks",  # noqa: E501
    "Jeans": "jeans", "Jackets": "jacket", "Backpacks": "backpack", "Flats": "flats", "Shorts": "shorts", "Caps": "hat",
    "Ties": "tie", "Track Pants": "track-pants", "Kurtis": "tunic", "Clutches": "clutch", "Mufflers": "scarf",
    "Dresses": "dress", "Scarves": "scarf", "Skirts": "skirt", "Capris": "pants", "Cufflinks": "jewellery",
    "Laptop Bag": "bag", "Leggings": "leggings", "Tunics": "tunic", "Stockings": "socks", "Duffel Bag": "bag",
    "Sports Sandals": "sandals", "Dupatta": "scarf", "Messenger Bag": "bag", "Churidar": "leggings",
    "Stoles": "scarf", "Hat": "hat", "Tights": "leggings", "Rucksacks": "backpack", "Waist Pouch": "bag",
    "Necklace and Chains": "jewellery", "Bracelet": "jewellery", "Waistcoat": "vest", "Kurta Sets": "tunic",
    "Shrug": "cardigan",
}  # fmt: skip
AUDIENCES = {"Men": "men", "Women": "women", "Girls": "kids", "Boys": "kids"}
STYLED = (
    "t-shirt", "shirt", "polo", "top", "tunic", "sweater", "cardigan", "hoodie", "sweatshirt", "slacks", "jeans", "jacket",  # noqa: E501
    "dress", "track-pants", "blazer", "pants", "leggings",
)  # fmt: skip
# Tags of parsing whose group shows that very class where the photo has no other tag of the group.
TAGS = {
    "blazer": "blazer", "blouse": "blouse", "boots": "boots", "cardigan": "cardigan", "coat": "coat", "cape": "coat",
    "dress": "dress", "flats": "flats", "loafers": "formal-shoes", "heels": "heels", "pumps": "heels", "wedges": "heels",  # noqa: E501
    "hoodie": "hoodie", "jacket": "jacket", "jeans": "jeans", "jumper": "sweater", "sweater": "sweater",
    "leggings": "leggings", "tights": "leggings", "pants": "pants", "romper": "jumpsuit", "sandals": "sandals",
    "shirt": "shirt", "shoes": "shoes", "shorts": "shorts", "skirt": "skirt", "sneakers": "sneakers",
    "sweatshirt": "sweatshirt", "swimwear": "swimwear", "t-shirt": "t-shirt", "top": "top", "vest": "vest", "bag": "bag",  # noqa: E501
    "purse": "bag", "hat": "hat", "sunglasses": "sunglasses", "scarf": "scarf", "suit": "blazer", "clogs": "shoes",
}  # fmt: skip


def drawn_lots(text: str, parts: int) -> bool:
    """Whether a name falls into the part that is held out, one of ``parts``."""
    return int(md5(text.encode(), usedforsecurity=False).hexdigest(), 16) % parts == 0


def part(held: bool) -> ManifestPart:
    return "validation" if held else "train"


def clothing(data: Path) -> Entries:
    rows = read_labels(data / "clothing/labels.csv")
    for split in ("train", "other", "validation"):
        for path in sorted((data / "clothing" / split).glob("*/*")):
            row = rows.get(f"{split}/{path.parent.name}/{path.name}", {})
            label = path.parent.name
            if label in ("not-sure", "other", "skip"):
                yield Entry(Sample(path, source="clothing/other", nothing=True), part(drawn_lots(path.name, 5)))
                continue
            garment = label if label in TEN else OTHERS.get(label)
            if garment is None:
                continue
            labels = {"garment": garment} | ({"audience": "kids"} if row.get("kids") == "True" else {})
            unsure = ("style",) if garment in STYLELESS else ()
            block = f"sender {row.get('sender', '')}"
            sample = Sample(path, labels, f"clothing/{split}", block, unsure=unsure)
            yield Entry(sample, part(split == "validation"))


def styles(data: Path) -> Entries:
    """paper17 by blocks and near-twins, without the photos that are in clothing/validation too."""
    measured = {digest(path) for path in (data / "clothing/validation").glob("*/*")}
    folder = PhotoFolder(data / "paper17", "style", "split", data / "paper17/labels.csv")
    split = build_manifest([folder], load_taxonomy(["paper17"]), 0.2, np.random.default_rng(0))
    for entry in split.entries:
        sample = entry.sample
        if entry.part == "left-out" or digest(sample.path) in measured:
            continue
        labels, style = dict(sample.labels), sample.labels["style"]
        if entry.part == "train" and style in WORN_STYLES:
            labels["garment"] = WORN_STYLES[style]
        if entry.part == "train" and style in OF_WOMEN:
            labels["audience"] = "women"
        told = Sample(sample.path, labels, sample.source, sample.block, sample.proxy)
        yield Entry(told, entry.part)
    rows = read_labels(data / "techwear/labels.csv")
    held = set(sorted({row["group"] for row in rows.values()})[::5])
    for name, row in rows.items():
        sample = Sample(data / "techwear" / name, {"style": "techwear"}, "techwear", row["group"])
        yield Entry(sample, part(row["group"] in held))


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def products(data: Path, masks: Path) -> Entries:
    reader, garments = ColorReader(load_colors()), load_taxonomy(["garment"]).find("garment")
    for row in table(data / "products/products.csv"):
        name = row["productDisplayName"].lower()
        kind, labels = kind_of(row["articleType"], name), {}
        if kind:
            labels["garment"] = kind
        if row["gender"] in AUDIENCES:
            labels["audience"] = AUDIENCES[row["gender"]]
        colours = reader.find(row["baseColour"])
        if len(colours) == 1:
            labels["colour"] = colours[0]
        path = data / f"products/images/{row['id']}.webp"
        group = garments.find(kind).group if kind else ""
        told = group if group in ("shoes", "bag", "accessory") else ""
        mask = flat_mask(path, masks / f"products-{row['id']}.png", told)
        block, unsure = re.sub("[^a-z ]", "", name), () if kind in STYLED else ("style",)
        sample = Sample(path, labels, "products", block, unsure=unsure, mask=mask)
        yield Entry(sample, part(drawn_lots(block, 10)))


def kind_of(article: str, name: str) -> str | None:
    if article == "Tshirts" and "polo" in name.split():
        return "polo"
    if article == "Sweaters" and "cardigan" in name:
        return "cardigan"
    if article == "Sweatshirts" and "hood" in name:
        return "hoodie"
    return KINDS.get(article)


def flat_mask(path: Path, mask: Path, group: str) -> Path | None:
    """Write where a picture on white or black shows its one garment: ground, and ``group`` (not known where it is
    empty); ``None`` where the ground is not flat."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB").resize((104, 104)))
    ground = np.zeros((104, 104), dtype=np.bool_)
    for flat in (pixels.min(axis=2) >= 240, pixels.max(axis=2) <= 12):
        regions, _ = ndimage.label(flat)
        border = np.unique(np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]]))
        ground |= np.isin(regions, border[border > 0])
    if not 0.12 < ground.mean() < 0.93:
        return None
    numbers = np.where(ground, 0, GROUPS.index(group) if group else UNKNOWN)
    Image.fromarray(numbers.astype(np.uint8)).save(mask)
    return mask


def outfits(data: Path) -> Entries:
    """Outfits with their masks; each garment of one tag cut out; heads and grounds, which are nothing."""
    folder = data / "parsing/train"
    judged = {Path(row["photo"]).name for row in table(data / "relevance/outfits.csv")}
    rows = table(folder / "labels.csv")
    rest = [Path(row["file"]).name for row in rows if Path(row["file"]).name not in judged]
    held = judged | set(rest[::11])
    groups = {row["tag"]: int(row["group_id"]) for row in table(data / "parsing/mapping.csv")}
    for row in rows:
        path, mask = folder / row["file"], folder / row["mask"]
        with Image.open(mask) as picture:
            numbers = np.asarray(picture)
        side, block = part(path.name in held), f"parsing {path.name}"
        yield Entry(Sample(path, {}, "parsing", block, mask=mask), side)
        for label, box in garments_of(numbers, tags_by_group(row["tags"].split(), groups, numbers)):
            yield Entry(Sample(path, {"garment": label}, "parsing/garments", block, mask=mask, box=box), side)
        number = int(path.stem)
        if number % 4 == 0 and (box := head(numbers)) is not None:
            yield Entry(Sample(path, {}, "parsing/heads", block, nothing=True, box=box), side)
        if number % 3 == 0 and (box := ground(numbers)) is not None:
            yield Entry(Sample(path, {}, "parsing/grounds", block, nothing=True, box=box), side)


def tags_by_group(tags: list[str], groups: Mapping[str, int], numbers: npt.NDArray[np.uint8]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for tag in tags:
        group = groups.get(tag, 0)
        if tag in ("bodysuit", "suit") and not (numbers == 2).any() and (numbers == 4).any():
            group = 4
        if tag in TAGS:
            found.setdefault(group, set()).add(TAGS[tag])
    return found


def garments_of(numbers: npt.NDArray[np.uint8], tags: Mapping[int, set[str]]) -> Iterator[tuple[str, Box]]:
    for group in range(1, 8):
        here = numbers == group
        if here.mean() < (0.004 if group >= 5 else 0.01):
            continue
        labels = {"bag"} if group == 6 else set(tags.get(group, set()))
        if group == 7:
            parts, count = ndimage.label(ndimage.binary_dilation(here, iterations=3))
            here &= parts == 1 + np.argmax(ndimage.sum(here, parts, range(1, count + 1)))
            if here.mean() < 0.004:
                continue
        if group == 5 and len(labels) > 1:
            labels -= {"shoes"}
        if len(labels) == 1:
            yield labels.pop(), around(here, 0.08)


def around(here: npt.NDArray[np.bool_], margin: float = 0.0) -> Box:
    rows, columns = np.flatnonzero(here.any(axis=1)), np.flatnonzero(here.any(axis=0))
    height, width = here.shape
    x, y = columns[0] / width, rows[0] / height
    w, h = (columns[-1] + 1) / width - x, (rows[-1] + 1) / height - y
    left, top = max(0.0, x - margin * w), max(0.0, y - margin * h)
    return left, top, min(1.0, x + w * (1 + margin)) - left, min(1.0, y + h * (1 + margin)) - top


def head(numbers: npt.NDArray[np.uint8]) -> Box | None:
    """The head of the one person: no clothes within."""
    height, width = numbers.shape
    rows, columns = np.nonzero(numbers == 8)
    if len(rows) <= 200:
        return None
    top = int(rows.min())
    tall = max(12, int(0.13 * (height - top)))
    middle, wide = int(np.median(columns[rows < top + tall])), int(tall * 0.9)
    left = max(0, middle - wide // 2)
    inside = numbers[top : top + tall, left : middle + wide // 2]
    if not inside.size or np.isin(inside, range(1, 8)).mean() >= 0.05:
        return None
    return left / width, top / height, min(wide / width, 1 - left / width), min(tall / height, 1 - top / height)


def ground(numbers: npt.NDArray[np.uint8]) -> Box | None:
    """What is beside the person, where that is a quarter of the photo or more."""
    width = numbers.shape[1]
    columns = np.flatnonzero((numbers > 0).any(axis=0))
    left, right = int(columns.min()), int(width - columns.max() - 1)
    if max(left, right) <= width * 0.25:
        return None
    x, wide = (0, left) if left > right else (int(columns.max()) + 1, right)
    return x / width, 0.1, wide / width, min(0.8, wide / width * 1.2)


def pairs(data: Path, masks: Path) -> Entries:
    """Each garment worn (whole, and cut out) and as its shop shows it; a fifth of the families held out."""
    for row in table(data / "pairs/pairs.csv"):
        worn, flat, family = data / "pairs" / row["query"], data / "pairs" / row["gallery"], row["family"]
        labels = {"audience": "women" if row["kind"].startswith("women") else "men"}
        labels |= (
            {"garment": name} if (name := next((n for n in ("hood", "sweatshirt") if n in row["kind"]), "")) else {}
        )
        if labels.get("garment") == "hood":
            labels["garment"] = "hoodie"
        mask = data / "pairs" / row["query_mask"] if row["query_mask"] else None
        side = part(drawn_lots(family, 5))
        if side == "validation":
            labels = {}  # They measure likeness; one model on one ground says little of classes.
        drawn = flat_mask(flat, masks / f"{flat.stem}.png", "upper")
        for box in (None, worn_box(mask)):
            yield Entry(Sample(worn, labels, "pairs/worn", family, product=family, mask=mask, box=box), side)
        yield Entry(Sample(flat, labels, "pairs/flat", family, product=family, mask=drawn), side)


def worn_box(mask: Path | None) -> Box:
    """Where the garment is on the person; the middle of the photo where no mask says it."""
    if mask is not None:
        with Image.open(mask) as picture:
            numbers = np.asarray(picture)
        shares = [0.0] + [float((numbers == group).mean()) for group in range(1, 5)]
        here = numbers == (1 if shares[1] > 0.05 else int(np.argmax(shares)))
        if here.sum() > 300:
            return around(here, 0.06)
    return 0.12, 0.15, 0.76, 0.8


def write_pairs(root: Path, rows: list[dict[str, str]]) -> None:
    """What `mapsi evaluate --pairs ROOT/pairs.csv --among ROOT/data/products/images` measures."""
    with (root / "pairs.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["query", "gallery", "family", "part"])
        for row in rows:
            side = part(drawn_lots(row["family"], 5))
            writer.writerow([f"data/pairs/{row['query']}", f"data/pairs/{row['gallery']}", row["family"], side])


def drawings(folder: Path) -> Entries:
    for path in sorted((folder / "garment").glob("*/*")):
        unsure = ("style",) if path.parent.name in STYLELESS else ()
        yield Entry(Sample(path, {"garment": path.parent.name}, "drawings", unsure=unsure), "train")
    for number, path in enumerate(sorted((folder / "nothing").glob("*/*"))):
        yield Entry(Sample(path, {}, "drawn nothing", nothing=True), part(number % 5 == 0))


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def main(root: Path) -> None:
    data, masks = root / "data", root / "masks"
    masks.mkdir(parents=True, exist_ok=True)
    entries = [
        *clothing(data), *styles(data), *products(data, masks), *outfits(data), *pairs(data, masks), *drawings(root / "drawings"),  # noqa: E501
    ]  # fmt: skip
    write_manifest(root / "manifest.csv", Manifest(tuple(entries)), root)
    write_pairs(root, table(data / "pairs/pairs.csv"))
    sys.stdout.write(f"{len(entries)} samples: {root / 'manifest.csv'}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
