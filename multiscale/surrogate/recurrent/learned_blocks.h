/* Blocks of points through a step of the recurrent surrogate. What includes this says how the points of STRIDE blocks of
 * lanes come from memory and leave for it: type Arrays, and
 *
 *   void come(const Arrays *, const Block *, Points *, State *, Watch *);
 *   void leave(const Surrogate *, const Arrays *, const Block *, const Points *, const Step *, const State *, Watch *);
 *
 * The step is the last part of one that was cut: it ends where that does. */
#ifndef LEARNED_BLOCKS_H
#define LEARNED_BLOCKS_H

/* Points that wait for others that need several parts too: alone among points of one part they would double the cost. */
typedef struct {
  long point[2 * POINTS];
  int count;
} Waiting;

/* The largest number of parts of a block's points; few points of several parts are skipped, and wait. */
INLINE int parts_of(const Points *p, Block *block, Waiting *waiting) {
  int several = 0, parts = 1;
  for (int v = 0; v < STRIDE; ++v)
    for (int l = 0; l < block[v].lanes; ++l) several += LANE(p[v].parts, l) > 1.0;
  for (int v = 0; several && v < STRIDE; ++v)
    for (int l = 0; l < block[v].lanes; ++l) {
      if (LANE(p[v].parts, l) > 1.0 && waiting && several <= POINTS / 4) {
        waiting->point[waiting->count++] = block[v].point[l];
        block[v].skipped[l] = 1;
        block[v].whole = 0;
      } else {
        parts = LANE(p[v].parts, l) > parts ? (int)LANE(p[v].parts, l) : parts;
      }
    }
  return parts;
}

static void advance_block(const Surrogate *s, const Arrays *a, Block *block, Waiting *waiting) {
  Points p[STRIDE];
  Step step[STRIDE];
  State z[STRIDE];
  Watch watch[STRIDE];
  Given given;
  come(a, block, p, z, watch);
#if HOLDS
  for (int v = 0; v < STRIDE; ++v) cut_by_time(z[v], &p[v]);
#endif
  const int parts = parts_of(p, block, waiting);
  for (int part = 1; part <= parts; ++part) {
    for (int v = 0; v < STRIDE; ++v) next_part(&p[v], part, z[v], &step[v]);
    advance(&s->network, step, z, &given);
  }
  leave(s, a, block, p, step, (const State *)z, watch);
}

/* Advance the first points of those that wait. */
static void advance_waiting(const Surrogate *s, const Arrays *a, Waiting *waiting) {
  const int count = waiting->count < POINTS ? waiting->count : POINTS;
  Block block[STRIDE];
  for (int v = 0; v < STRIDE; ++v) block[v] = block_of(waiting->point, v * LANES, count);
  advance_block(s, a, block, NULL);
  waiting->count -= count;
  for (int k = 0; k < waiting->count; ++k) waiting->point[k] = waiting->point[count + k];
}

/* Advance n points. */
static void advance_points(const Surrogate *s, const Arrays *a, long n) {
  const unsigned int mode = flush_tiny();
  Waiting waiting = {.count = 0};
  for (long start = 0; start < n; start += POINTS) {
    Block block[STRIDE];
    for (int v = 0; v < STRIDE; ++v) block[v] = block_at(start + v * LANES, n);
    advance_block(s, a, block, &waiting);
    if (waiting.count >= POINTS) advance_waiting(s, a, &waiting);
  }
  if (waiting.count) advance_waiting(s, a, &waiting);
  leave_tiny(mode);
}
#endif
