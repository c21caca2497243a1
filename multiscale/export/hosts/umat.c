/* Abaqus/Standard's UMAT: one point. Tensors of the host are column after column; symmetric ones are 11, 22, 33, 12, 13, 23
 * here, and one shear component, 12, in plane strain and axial symmetry. */
#ifndef ONE_LANE
#define ONE_LANE
#endif
#define POINTS 1
#include "c.c"
#include "multiscale/surrogate/recurrent/learned_derivative.h"

static const int first[6] = {0, 1, 2, 0, 0, 1}, second[6] = {0, 1, 2, 1, 2, 2};

/* dP/dF of a step from a state, which is read. Hosts begin an increment where the last one ended: where nothing has moved,
 * flow has no direction, and the tangent is the elastic one of a step without time. */
static void differentiate_point(const double F[9], double dt, TOLD const double state[NUMBERS], double dP[81]) {
  Work work;
  Watch watch;
  work.points->dt = dt;
  recall((const Row *)state, work.points, work.z[0], &watch);
#if TEXTURE
  tell(texture, work.points);
#endif
  kinematics(F, work.points);
  if (!(work.points->size > ROUNDING)) work.points->dt = 0.0;
  differentiate(&surrogate, &work);
  tangent_of(&surrogate, &work, 0, dP);
  for (int i = 0; i < 81; ++i) dP[i] *= UNIT_OF_STRESS;
}

/* Elastic energy in a volume of the reference: the law has none of its own, this is that of the elastic strains of the groups
 * and of the volume. */
static double stored(const double state[NUMBERS], double J) {
  const double c = 0.25 * surrogate.shear_modulus * STRAIN_SCALE * STRAIN_SCALE;
  double energy = surrogate.lambda_e * (J - 1.0) * (J - 1.0);
  for (int k = 0; k < ELASTIC; ++k) energy += c * surrogate.shares[k / DEVIATOR] * state[6 + k] * state[6 + k];
  return UNIT_OF_STRESS * energy;
}

/* d(Kirchhoff stress) / J by the Jaumann rate, for a stretching D_kl alone: dtau = dP F^T + P dF^T with dF = D F. A is
 * dP/dF; columns are of engineering shear strains. */
static void jaumann(const double F[9], const double sigma[9], const double A[81], int tensor, double *tangent) {
  const double inverse_J = 1.0 / det_of(F);
  for (int c = 0; c < tensor; ++c) {
    const int k = first[c], l = second[c];
    double dF[9] = {0.0}, dP[9], dtau[9];
    for (int m = 0; m < 3; ++m) { /* D has 1/2 at kl and at lk: 1 on the diagonal, and engineering shear of one */
      dF[3 * k + m] += 0.5 * F[3 * l + m];
      dF[3 * l + m] += 0.5 * F[3 * k + m];
    }
    for (int a = 0; a < 9; ++a) {
      dP[a] = 0.0;
      for (int b = 0; b < 9; ++b) dP[a] += A[9 * a + b] * dF[b];
    }
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) {
        dtau[3 * i + j] = 0.5 * (sigma[3 * i + k] * (j == l) + sigma[3 * i + l] * (j == k)); /* sigma D */
        for (int m = 0; m < 3; ++m) dtau[3 * i + j] += inverse_J * dP[3 * i + m] * F[3 * j + m];
      }
    for (int r = 0; r < tensor; ++r)
      tangent[r + tensor * c] = 0.5 * (dtau[3 * first[r] + second[r]] + dtau[3 * second[r] + first[r]]);
  }
}

/* A step of a point, with the arguments of a UMAT by their names there. */
void LAW(umat)(int nshr, double dtime, const double *dfgrd1, const double *dstran, TOLD double *stress,
               double *statev, double *ddsdde, double *sse, double *spd, double *pnewdt) {
  const int tensor = 3 + nshr;
  double F[9], P[9], sigma[9], dP[81], before[NUMBERS], work = 0.0;
  for (int i = 0; i < 9; ++i) F[i] = dfgrd1[3 * (i % 3) + i / 3];
  memcpy(before, statev, sizeof before);
  if (LAW(update)(1, dtime, F, TELL statev, P) != 0) {
    *pnewdt = 0.25;
    return;
  }
  LAW(cauchy)(1, F, P, sigma);
  differentiate_point(F, dtime * UNIT_OF_TIME, TELL before, dP);
  jaumann(F, sigma, dP, tensor, ddsdde);
  for (int k = 0; k < tensor; ++k) {
    const double now = sigma[3 * first[k] + second[k]];
    work += 0.5 * (stress[k] + now) * dstran[k];
    stress[k] = now;
  }
  const double kept = stored(statev, det_of(F)) / det_of(F);
  *spd += work - (kept - *sse);
  *sse = kept;
}
