"""Networks that tell whether two pictures show one person, learned together by cities."""
