/* J2 with linear isotropic hardening; see j2.py. */
#include "radial_tangent.h"

/* Advance n points of J2: constants are G, K, yield stress, hardening modulus. */
void j2_update(const double *constants, long n, const double *F, double *plastic, double *strain, double *dissipation,
               double *P) {
  const double G = constants[0], K = constants[1], yield_stress = constants[2], hardening = constants[3];
  for (long first = 0; first < n; first += LANES) {
    const Block b = block_at(first, n);
    Trial t;
    real last;
    trial_at(F, plastic, &b, G, &t);
    gather(strain, &b, 1, &last);
    const real excess = t.stress - t.J * (yield_stress + hardening * last);
    const real flow = positive(excess) / (3.0 * G + t.J * hardening);
    real work, Pv[9];
    const real ratio = flow_at(&b, &t, flow, 3.0 * G, &work, plastic, strain, dissipation);
    piola(&t, G * ratio, K * logarithm(t.J), Pv);
    scatter(Pv, &b, 9, P);
  }
}

/* dP/dF (n, 81) of the step that j2_update makes. */
void j2_tangent(const double *constants, long n, const double *F, const double *plastic, const double *strain,
                double *tangent) {
  const double G = constants[0], K = constants[1], yield_stress = constants[2], hardening = constants[3];
  for (long first = 0; first < n; first += LANES) {
    const Block b = block_at(first, n);
    Trial t;
    real last, dP[81];
    trial_at(F, plastic, &b, G, &t);
    gather(strain, &b, 1, &last);
    const real stiffness = 3.0 * G + t.J * hardening;
    Return r = {.mean = K * logarithm(t.J), .mean_slope = splat(K), .by_stress = 1.0 / stiffness};
    r.flow = positive(t.stress - t.J * (yield_stress + hardening * last)) / stiffness;
    r.by_J = -(yield_stress + hardening * (last + r.flow)) / stiffness;
    return_tangent(&t, &r, G, dP);
    scatter(dP, &b, 81, tangent);
  }
}

/* Coefficients of ln(I + X), or of (I + X)^exponent where that is not negative; for the tests. */
void coefficients(double j2, double j3, double exponent, double c[3]) {
  real of_lanes[3];
  if (exponent < 0.0)
    log_coefficients(splat(j2), splat(j3), of_lanes);
  else
    power_coefficients(splat(j2), splat(j3), splat(exponent), of_lanes);
  for (int k = 0; k < 3; ++k) c[k] = of_lanes[k][0];
}
