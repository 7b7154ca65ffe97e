"""What a line of a monthly statement is about, the same on the page and on paper."""

from marketplace.payouts.statements import Line
from marketplace.web.state_words import kind_words


def title_of(line: Line) -> str:
    """Course and receipt of a line about an enrolment; what a correction does is said before them."""
    if line.enrolment is None:
        return kind_words(line.kind)
    title = f"{line.enrolment.run.course.title}, {line.enrolment.receipt_number}"
    return title if line.kind == "completion" else f"{kind_words(line.kind)}: {title}"
