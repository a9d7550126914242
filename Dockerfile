# scanveil as a container: not root, and content with a read-only root file system.
#
#   docker build -t scanveil .
#   docker run --name scanveil --read-only --tmpfs /tmp \
#       -p 11112:11112 -p 2762:2762 -p 8042:8042 \
#       -v scanveil-data:/data -v scanveil-releases:/releases \
#       -v "$PWD/etc:/etc/scanveil:ro" scanveil
#
# ./etc holds scanveil.toml and tls/, readable by user 10001; the key with mode 0600.

FROM rust:1.95-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends cmake \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --locked --release -p scanveil \
    && install -D -m 755 target/release/scanveil /out/scanveil

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 scanveil \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin scanveil \
    && install -d -o scanveil -g scanveil -m 700 /data /releases
COPY --from=build /out/scanveil /usr/local/bin/scanveil
USER 10001:10001
# What is written lies below /data (state, spool, keys and, by default, the objects) and below
# /releases, where `release create --out /releases/NAME` puts datasets.
ENV SCANVEIL_DATA_DIR=/data SCANVEIL_CONFIG=/etc/scanveil/scanveil.toml
VOLUME ["/data", "/releases"]
WORKDIR /data
# C-STORE, C-STORE over TLS, HTTP.
EXPOSE 11112 2762 8042
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["scanveil", "health", "--config", "/etc/scanveil/scanveil.toml"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["scanveil"]
CMD ["serve", "--config", "/etc/scanveil/scanveil.toml"]
