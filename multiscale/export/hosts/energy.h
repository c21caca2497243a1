/* Elastic energy of points, an estimate: the law has stresses and no energy of its own. */
#ifndef HOST_ENERGY_H
#define HOST_ENERGY_H

/* What unloading would give back, in a volume of the reference: of the elastic strains of the groups, and of the
 * volume. Of point p of n, whose state is number after number. */
static double stored(long n, const double *state, long p, double J) {
  double sum = surrogate.lambda_e * (J - 1.0) * (J - 1.0);
  for (int g = 0; g < GROUPS; ++g)
    for (int k = 0; k < DEVIATOR; ++k) {
      const double s = STRAIN_SCALE * state[(6 + g * DEVIATOR + k) * n + p];
      sum += 0.25 * surrogate.shear_modulus * surrogate.shares[g] * s * s;
    }
  return UNIT_OF_STRESS * sum;
}
#endif
