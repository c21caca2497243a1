"""Equilibrium without inertia: weak forms in UFL, PETSc's solvers, any law at the quadrature points."""
