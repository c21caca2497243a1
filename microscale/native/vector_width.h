/* Width of the processor's vector registers. Wider vectors compile too, but are taken apart number by number: kernels
 * written for AVX-512 ran at a quarter to a thirtieth of the speed on processors without it. */
#ifndef VECTOR_WIDTH_H
#define VECTOR_WIDTH_H

#ifndef VECTOR_BYTES
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#endif
/* Sums that stay in registers in products of matrices: 32 registers, or 16. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define SUMS 16
#else
#define SUMS 12
#endif
#endif
