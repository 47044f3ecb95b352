def test_an_end_that_no_calendar_has_is_the_last_that_one_has():
    """Whoever reads the document must be able to parse it."""
    story = Story().started().source("a", files=2**53 - 1, bytes=2**53 - 1)
    story.files("a", 3, after=300_000, bytes=1)

    document = story.document()

    assert document["progress"]["estimated_completion"] == "9999-12-31T23:59:59Z"
    assert document["eta"]["at"] == "9999-12-31T23:59:59Z"
