import polars as pl

from factor_pipeline.console import table


def test_text_in_square_brackets_is_printed_as_it_is(capsys):
    table(pl.DataFrame({"comment": ["[decimal] Return.", "[/] ends nothing", "C:\\"]}))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["comment", "[decimal] Return.", "[/] ends nothing", "C:\\"]
