"""CVAT for images 1.1."""

from pathlib import Path

import pytest

from gytbench.annotation.reading import read_rows
from gytbench.annotation.rows import PointRow
from tests.annotation.faulty import faults_of

BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE lolz [\n<!ENTITY lol "lol">\n'
    + "".join(
        f'<!ENTITY lol{level} "{f"&lol{level - 1 or str()};" * 10}">\n' for level in range(1, 10)
    )
    + "]>\n<annotations>&lol9;</annotations>"
)


def xml(body: str, name: str = "v_3_pour_milk.jpg", size: str = 'width="640" height="480"') -> str:
    head = '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
    meta = "<meta><task><labels><label><name>point</name></label></labels></task></meta>"
    return f'{head}{meta}<image id="0" name="{name}" {size}>{body}</image></annotations>'


def points(where: str, annotator: str = "", label: str = "point") -> str:
    attribute = f'<attribute name="annotator">{annotator}</attribute>' if annotator else ""
    return f'<points label="{label}" source="manual" points="{where}">{attribute}</points>'


def rows_of(path: Path, text: str) -> list[PointRow]:
    path.write_text(text, encoding="utf-8")
    return read_rows(path, {})


def test_elements_of_annotators(tmp_path: Path) -> None:
    path = tmp_path / "c.xml"
    none = '<tag label="none"><attribute name="Annotator">cem</attribute></tag>'
    box = '<tag label="blurred"/><box label="a" xtl="1" ytl="1" xbr="2" ybr="2"/>'
    at = f"{path}: /annotations/image[1]/"
    text = xml(points("1,2.5", "ann") + none + box + points("3, 4", "bob"))
    assert rows_of(path, text) == [
        PointRow("v", 3, "pour_milk", "ann", 1, 2.5, 640, 480, at + "points[1]"),
        PointRow("v", 3, "pour_milk", "cem", None, None, 640, 480, at + "tag[1]"),
        PointRow("v", 3, "pour_milk", "bob", 3, 4, 640, 480, at + "points[2]"),
    ]


def test_points_without_annotator_are_numbered(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "c.xml", xml(points("1,1;2,2") + points("3,3")))
    assert [(row.annotator, row.x) for row in rows] == [("1", 1), ("2", 2), ("3", 3)]
    assert rows[1].where.endswith("image[1]/points[1]: point 2")


def test_the_step_is_the_label_where_the_name_tells_none(tmp_path: Path) -> None:
    none = '<tag label="none"/>'
    body = points("1,1", "ann", "Crack eggs") + none
    rows = rows_of(tmp_path / "c.xml", xml(body, name="v/3.png"))
    assert [row.step for row in rows] == ["crack_eggs", "crack_eggs"]
    generic = rows_of(tmp_path / "c.xml", xml(points("1,1", "ann", "Center"), name="v/3.png"))
    assert generic[0].step == ""
    two = points("1,1", "ann", "cut") + points("1,1", "ann", "fry") + none
    rows = rows_of(tmp_path / "c.xml", xml(two, name="v/3.png"))
    assert [row.step for row in rows] == ["cut", "fry", ""]


def test_an_image_without_points_is_no_answer(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path / "c.xml", xml(""))
    assert fault == "FILE: holds no answer of an annotator"


def test_other_encodings_that_the_file_names(tmp_path: Path) -> None:
    text = xml(points("1,1", "Zoë")).replace("utf-8", "utf-16")
    path = tmp_path / "c.xml"
    path.write_bytes(text.encode("utf-16"))
    assert read_rows(path, {})[0].annotator == "Zoë"


IMAGE = "/annotations/image[1]"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "its XML has a DTD or entities, which are not read; export it as"),
        ("<!DOCTYPE annotations><annotations/>", "its XML has a DTD or entities"),
        (xml(points("1,1"))[:-20], "not XML that can be read: unclosed token: line 2, column"),
        ("<annotations><image></annotations>", "not XML that can be read: mismatched tag: line 1"),
        ("<html/>", "<html> is not the <annotations> of CVAT"),
        ("<annotations/>", "holds no answer of an annotator"),
        (
            "<annotations><track id='0' label='point'/></annotations>",
            'this is the export of a video (<track>); export it as "CVAT for images 1.1"',
        ),
        (xml(points("1,1")).encode("latin-1") + b"\xff", "not XML that can be read: not well-f"),
        (b'<?xml version="1.0" encoding="x-none"?><annotations/>', "not XML that can be read: "),
        (b'<?xml version="1.0" encoding="gb2312"?><annotations/>', "not XML that can be read: "),
        (xml(points("1,1"), name="a.jpg"), f"{IMAGE}/@name: 'a.jpg' tells no frame; name images"),
        (xml(points("1,1"), size='width="w" height="9"'), f"{IMAGE}/@width: 'w' is not a number"),
        (xml(points("")), f"{IMAGE}/points[1]/@points: is missing or empty"),
        (xml(points("1,2;3")), f"{IMAGE}/points[1]/@points: '3' is not x,y"),
        (xml(points("a,2")), f"{IMAGE}/points[1]/@points: 'a' is not a number"),
        (xml(points("nan,2")), f"{IMAGE}/points[1]/@points: 'nan' is not a finite number"),
        (xml(points("1e999,2")), f"{IMAGE}/points[1]/@points: '1e999' is not a finite number"),
        (xml(points(",2")), f"{IMAGE}/points[1]/@points: is missing; give a number"),
        (xml(points("1,1;2,2", "ann")), f"{IMAGE}/points[1]: 2 points of annotator 'ann'; an an"),
        (xml(points("1,1", "a" * 1001)), f"{IMAGE}/points[1]/attribute: a name of 1,001 charac"),
        (xml(points("1,1", "", "s" * 1001)), f"{IMAGE}/points[1]/@label: a name of 1,001 charac"),
    ],
)
def test_faults(text: str | bytes, reason: str, tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path / "c.xml", text)
    assert fault.startswith(f"FILE: {reason}")


def test_all_faults_are_told(tmp_path: Path) -> None:
    text = xml(points("a,b") + points("1"), size='width="?"')
    assert len(faults_of(tmp_path / "c.xml", text)) == 4
