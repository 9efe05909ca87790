# Two images from one build: `sidecar` (the program alone) and `examples` (the services of docker-compose.yml).
#   docker build --target sidecar -t drift-sidecar .
FROM rust:1-bookworm AS build
# release, or dev for a quicker build of slower programs.
ARG PROFILE=release
WORKDIR /source
COPY Cargo.toml Cargo.lock ./
COPY examples/Cargo.toml examples/
# The dependencies first, on stand-ins for the sources: they stay as they are while the code changes.
RUN mkdir -p src examples/src benches \
    && touch src/lib.rs examples/src/lib.rs \
    && for name in decode false_alarms kernels metrics stats; do touch benches/$name.rs; done \
    && echo 'fn main() {}' > src/main.rs \
    && mkdir -p examples/src/bin \
    && for name in auth_service predict_service traffic; do echo 'fn main() {}' > examples/src/bin/$name.rs; done \
    && cargo build --workspace --lib --bins --locked --profile $PROFILE
COPY src src
COPY examples examples
# Docker keeps the files' times: newer than the stand-ins they must be.
RUN find src examples -name '*.rs' -exec touch {} + \
    && cargo build --workspace --lib --bins --locked --profile $PROFILE \
    && mkdir /programs \
    && folder=target/$([ "$PROFILE" = dev ] && echo debug || echo "$PROFILE") \
    && for name in drift-sidecar auth_service predict_service traffic; do \
           cp "$folder/$name" /programs/ && strip /programs/$name; \
       done

FROM debian:bookworm-slim AS base
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 app \
    && useradd --uid 10001 --gid app --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o app -g app /data /data/logs /data/registry /data/state
USER app

FROM base AS examples
COPY --from=build /programs/auth_service /programs/predict_service /programs/traffic /usr/local/bin/
COPY examples/config /etc/examples

FROM base AS sidecar
COPY --from=build /programs/drift-sidecar /usr/local/bin/
EXPOSE 9877
HEALTHCHECK CMD ["drift-sidecar", "healthcheck"]
ENTRYPOINT ["drift-sidecar"]
CMD ["run", "--config", "/etc/drift-sidecar/sidecar.yaml"]
