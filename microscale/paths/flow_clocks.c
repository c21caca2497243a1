/* Clocks of strain paths in memory, see flow_clocks.h. */
#include "flow_clocks.h"
#include "microscale/native/isochoric.h"
#include "microscale/native/points.h"

/* Advance n points from stretches `from` to `to` (n, 6) in dt (n): clocks (n, CLOCKS), longest (n, LONGEST). */
void flow_clocks_advance(double limit, long n, const double *from, const double *to, const double *dt,
                         double *clocks, double *longest) {
  for (long first = 0; first < n; first += LANES) {
    const Block b = block_at(first, n);
    real before[6], after[6], step, clock[CLOCKS], most[LONGEST], l[9], strain[5];
    gather(from, &b, 6, before);
    gather(to, &b, 6, after);
    gather(dt, &b, 1, &step);
    gather(clocks, &b, CLOCKS, clock);
    isochoric(before);
    isochoric(after);
    driving(before, after, l, strain);
    for (int k = 0; k < 5; ++k) strain[k] *= 0.5;
    flow_clocks(limit, strain, step, clock, most);
    scatter(clock, &b, CLOCKS, clocks);
    scatter(most, &b, LONGEST, longest);
  }
}
