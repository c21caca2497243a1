# The framework with its pinned versions, run by a normal user. How to build and run it: README, "Docker".
ARG BASE=debian:trixie-slim
FROM ${BASE}

# The C compiler and its headers are needed at run time: forms and kernels are compiled, for the processor they
# run on, when they are first used. Nothing of that is kept in the image.
COPY .ci/preflight.py /tmp/preflight.py
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates make python3 \
    && apt-get install --yes --no-install-recommends $(python3 /tmp/preflight.py --debian) \
    && rm -rf /var/lib/apt/lists/* /tmp/preflight.py

RUN useradd --create-home --shell /bin/bash multiscale
USER multiscale
WORKDIR /home/multiscale/multiscale

# The long installation first, in a layer that a change of the code leaves alone.
COPY --chown=multiscale:multiscale constraints.txt ./
RUN python3 -m venv .venv && .venv/bin/pip install --no-cache-dir --requirement constraints.txt
COPY --chown=multiscale:multiscale . .
RUN make install

# MPICH: one thread a rank, and the transports that a container has.
ENV PATH=/home/multiscale/multiscale/.venv/bin:${PATH} \
    OMP_NUM_THREADS=1 \
    UCX_TLS=self,sm,tcp
CMD ["mpirun", "-n", "2", "python", "demos/taylor_anvil.py"]
