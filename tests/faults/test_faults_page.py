from tests.faults.page import COMMAND, PAGE, page


def test_the_page_of_faults_is_what_the_corpus_says():
    assert PAGE.read_text(encoding="utf-8") == page(), f"run `{COMMAND}`"
