"""Text in the encodings of the world: read by its name, detected, and refused where it is mixed."""

import codecs
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.data.connectors import connectors
from deepcity.data.encodings import utf8_file as module
from deepcity.data.encodings.detect import FoundEncoding, Mixture, find_encoding
from deepcity.data.encodings.names import KNOWN, codec_of
from deepcity.data.encodings.scan import GZIP, bad_byte, lines_of
from deepcity.data.errors import ReadError
from deepcity.data.text_files.sniff import sniff

CSV = connectors()["csv"]
SAMPLES = {
    "cp949": "일시,여의나루\n2024-01-01,90\n2024-01-02,85\n",
    "shift_jis": "日時,横浜駅のバス乗客数\n2024-01-01,90\n",
    "big5": "時間,臺北車站的乘客數量\n2024-01-01,90\n",
    "gb18030": "时间,北京西站的旅客数量统计\n2024-01-01,90\n",
    "cp1252": "Zeit;Münchner Straße – größere Zählstelle\n2024-01-01;90\n",
    "cp1251": "Дата,Количество пассажиров на станции\n2024-01-01,90\n",
    "utf-16": "일시,여의나루\n2024-01-01,90\n",
    "utf-16-le": "일시,여의나루\n2024-01-01,90\n",
    "utf-16-be": "일시,여의나루\n2024-01-01,90\n",
    "utf-8-sig": "일시,여의나루\n2024-01-01,90\n",
    "utf8": "일시,여의나루\n2024-01-01,90\n",
}


def frame_of(folder, content, name="records.csv", **keys):
    (folder / name).write_bytes(content)
    raw = {"name": "s", "format": "csv", "path": name, **keys}
    return CSV.read(CSV.settings.model_validate(raw), folder).frame


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("encoding", SAMPLES)
def test_a_file_reads_the_same_in_any_encoding(encoding, packed, tmp_path):
    text = SAMPLES[encoding]
    content = text.encode(encoding)
    name = "records.csv.gz" if packed else "records.csv"
    sign = ";" if ";" in text else ","
    frame = frame_of(
        tmp_path,
        gzip.compress(content) if packed else content,
        name,
        encoding=encoding,
        delimiter=sign,
    )
    header, row, *_ = text.splitlines()
    assert frame.columns == header.split(sign)
    assert list(frame.row(0)) == row.split(sign)


@pytest.mark.parametrize("encoding", SAMPLES)
def test_an_encoding_is_detected_and_a_file_read_as_another_names_it(encoding, tmp_path):
    text = SAMPLES[encoding]
    path = tmp_path / "records.csv"
    path.write_bytes(text.encode(encoding))
    found = find_encoding(path)
    assert isinstance(found, FoundEncoding)
    assert codec_of(found.name) == codec_of(encoding)
    assert sniff(path).get("encoding", "utf8") == found.name
    if codec_of(encoding) == "utf8":
        return
    with pytest.raises(ReadError, match="is not text in utf8") as caught:
        frame_of(tmp_path, text.encode(encoding))
    assert caught.value.key == "encoding"
    assert f"encoding = '{found.name}'" in caught.value.right
    frame = frame_of(tmp_path, text.encode(encoding), encoding=found.name)
    assert text.startswith(frame.columns[0][:2])


@pytest.mark.parametrize(
    "name", ["CP949", "euc-kr", "EUC_KR", "ms949", "windows-949", "latin1", "ISO-8859-1", *KNOWN]
)
def test_usual_names_are_known(name):
    assert codec_of(name)


def test_a_name_that_is_none_is_refused_with_the_nearest():
    raw = {"name": "s", "format": "csv", "path": "x.csv", "encoding": "cp99"}
    with pytest.raises(ValueError, match="not a known encoding"):
        CSV.settings.model_validate(raw)
    raw["encoding"] = "base64"
    with pytest.raises(ValueError, match="not a known encoding"):
        CSV.settings.model_validate(raw)


@pytest.mark.parametrize("encoding", ["utf8", "cp949"])
def test_two_encodings_in_one_file_are_refused_with_the_rows(encoding, tmp_path):
    head = "time,역,n\n" + "2024-01-01,서울역,1\n" * 40
    tail = "2024-01-02,강남역,2\n" * 5
    with pytest.raises(ReadError) as caught:
        frame_of(tmp_path, head.encode() + tail.encode("cp949"), encoding=encoding)
    assert "row 1 is UTF-8, row 42 is not" in caught.value.reason
    assert "in one encoding" in caught.value.right
    assert find_encoding(tmp_path / "records.csv") == Mixture(1, 42)


def test_text_in_utf8_is_not_read_as_something_else(tmp_path):
    for encoding in ("latin-1", "cp949", "cp1252"):
        with pytest.raises(ReadError, match="UTF-8") as caught:
            frame_of(tmp_path, "t,역\n2024,서울\n".encode(), encoding=encoding)
        assert "encoding = 'utf8'" in caught.value.right


def test_a_wrong_byte_far_down_is_named_with_its_row(tmp_path):
    rows = "".join(f"2024-01-01,{n}\n" for n in range(200_000))
    content = f"t,n\n{rows}".encode() + "2024-01-01,잠실나루역앞\n".encode("cp949")
    with pytest.raises(ReadError, match=r"row 200,002, byte 0xC0") as caught:
        frame_of(tmp_path, content)
    assert "cp949" in caught.value.right


def test_few_characters_decide_nothing_and_the_readings_are_named(tmp_path):
    with pytest.raises(ReadError) as caught:
        frame_of(tmp_path, "t,n\n北京,1\n".encode("gb18030"))
    assert "gb18030' if '北京,1' is right" in caught.value.right


def test_a_copy_is_made_once_until_the_file_changes(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(
        module, "_write", lambda *args, write=module._write: (written.append(1), write(*args))
    )
    content = SAMPLES["cp949"].encode("cp949")
    for _ in range(3):
        frame_of(tmp_path, content, "same.csv", encoding="cp949")
    assert len(written) >= 1
    before = len(written)
    settings = CSV.settings.model_validate(
        {"name": "s", "format": "csv", "path": "same.csv", "encoding": "cp949"}
    )
    CSV.read(settings, tmp_path)
    CSV.columns(settings, tmp_path)
    assert len(written) == before
    assert frame_of(tmp_path, content * 2, "same.csv", encoding="cp949").height == 5


def test_a_file_is_decoded_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("deepcity.data.encodings.scan.BLOCK_BYTES", 41)
    text = "일시,역\n" + "2024-01-01,서울역\n" * 50
    for encoding in ("cp949", "utf-16"):
        frame = frame_of(tmp_path, text.encode(encoding), f"{encoding}.csv", encoding=encoding)
        assert frame["역"].to_list() == ["서울역"] * 50
    (tmp_path / "x.csv").write_bytes(text.encode())
    assert [row for row, _ in lines_of(tmp_path / "x.csv")] == list(range(1, 52))


def test_a_transposed_file_in_another_encoding(tmp_path):
    content = "역,2024-01-01,2024-01-02\n서울역,1,2\n".encode("cp949")
    frame = frame_of(tmp_path, content, transpose=True, encoding="euc-kr")
    assert frame.columns == ["역", "서울역"]
    with pytest.raises(ReadError, match="row 1, byte") as caught:
        frame_of(tmp_path, content, transpose=True)
    assert "cp949" in caught.value.right


def test_a_row_with_too_many_cells_is_named(tmp_path):
    content = "a,b\n" + "1,2\n" * 99 + "1,2,extra\n" + "1,2\n" * 9
    with pytest.raises(ReadError) as caught:
        frame_of(tmp_path, content.encode())
    assert "line 101 (row 100 below the header) has 3 cells, the header 2" in caught.value.reason


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=20))
def test_any_korean_text_survives_cp949(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("korean")
    frame = frame_of(folder, f"a,b\n{text},1\n".encode("cp949"), encoding="cp949")
    assert frame.row(0) == (text, "1")


@given(st.binary(min_size=1, max_size=200))
def test_no_bytes_make_the_detector_fail(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "x.csv"
    path.write_bytes(content)
    if content.startswith(GZIP):
        return  # damaged, which the connector reports
    found = find_encoding(path)
    if isinstance(found, FoundEncoding):
        assert bad_byte(path, codec_of(found.name)) is None


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path):
    for mark, encoding in ((codecs.BOM_UTF8, "utf8"), (codecs.BOM_UTF16_BE, "utf-16")):
        body = "t,n\n1,2\n".encode("utf-16-be" if "16" in encoding else encoding)
        assert frame_of(tmp_path, mark + body, encoding=encoding).columns == ["t", "n"]
