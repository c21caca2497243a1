"""Errors a user can act on. Each message is one line: quantity, value, expectation, remedy."""


class InputError(ValueError):
    """Something the user gave (a flag, a file, a parameter, a mesh) cannot be used."""


class DeformationError(ValueError):
    """A deformation gradient is not finite or not orientation preserving."""


class ConvergenceError(RuntimeError):
    """An iteration did not converge, even after its steps were cut, or a run lost its balance of energy."""
