/* How slowly a strain path flows, how long it is held, how far it goes to and fro: kinematics alone, no material.
 *
 * A point has flowed where its isochoric strain has left a ball of radius `limit`, the elastic range, which it then
 * drags along (a play operator, as of perfect plasticity). While it flows by one diameter of the ball, three clocks
 * run: the time in which it flows, the time in which it does not, and the path it travels without flowing. Nothing
 * counts before the first flow. Steps are divided into what is elastic and what flows, so clocks do not depend on
 * how a path is cut, up to terms of the size of a step over the diameter. */
#ifndef FLOW_CLOCKS_H
#define FLOW_CLOCKS_H
#include "microscale/native/lanes.h"

enum { ELASTIC_STRAIN = 0, FLOWED = 5, FLOWING, RESTING, TO_AND_FRO, CLOCKS };
#define LONGEST 3 /* FLOWING, RESTING, TO_AND_FRO at their longest within a step */
#define SAME 1e-12 /* of the radius: a step of nothing changes no bit */

INLINE void flow_clocks(double limit, const real strain[5], real dt, real clock[CLOCKS], real longest[LONGEST]) {
  const double window = 2.0 * limit;
  real trial[5], square = splat(1e-300), size = splat(1e-300);
  for (int k = 0; k < 5; ++k) {
    trial[k] = clock[ELASTIC_STRAIN + k] + strain[k];
    square += trial[k] * trial[k];
    size += strain[k] * strain[k];
  }
  const real norm = root(square), path = root(size);
  const mask flows = norm > limit * (1.0 + SAME), begun = clock[FLOWED] > 0.0;
  const real flow = choose(flows, norm - limit, splat(0)), back = choose(flows, limit / norm, splat(1));
  const real share = smaller(flow / path, splat(1)), rest = choose(begun, 1.0 - share, splat(0));
  for (int k = 0; k < 5; ++k) clock[ELASTIC_STRAIN + k] = trial[k] * back;
  clock[RESTING] += rest * dt;
  clock[TO_AND_FRO] += rest * choose(path > SAME * limit, path, splat(0));
  longest[1] = clock[RESTING];
  longest[2] = clock[TO_AND_FRO];
  const real missing = window - clock[FLOWED], time_of_flow = share * dt / (flow + 1e-300);
  const mask full = flow >= missing;
  const real over = smaller(flow - missing, splat(window * (1.0 - SAME))); /* part of the next window */
  longest[0] = choose(flows, clock[FLOWING] + time_of_flow * smaller(flow, missing), clock[FLOWING]);
  longest[0] = larger(longest[0], choose(flow > window, time_of_flow * window, splat(0)));
  clock[FLOWED] = choose(full, larger(over, splat(1e-300)), clock[FLOWED] + flow);
  clock[FLOWING] = choose(full, time_of_flow * over, longest[0]);
  clock[RESTING] = choose(full, splat(0), clock[RESTING]);
  clock[TO_AND_FRO] = choose(full, splat(0), clock[TO_AND_FRO]);
}
#endif
