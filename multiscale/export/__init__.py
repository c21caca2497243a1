"""The learnt law as source for other codes: C99, and the interfaces VUMAT and UMAT."""
