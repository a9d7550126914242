# scanveil as a container: not root, and content with a read-only root file system.
#
#   docker build -t scanveil .
#   docker run --read-only --tmpfs /tmp -p 11112:11112 -p 8042:8042 \
#       -v scanveil-data:/data -v "$PWD/scanveil.toml:/etc/scanveil/scanveil.toml:ro" scanveil

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
    && install -d -o scanveil -g scanveil -m 700 /data
COPY --from=build /out/scanveil /usr/local/bin/scanveil
USER 10001:10001
# Everything that is written lies below /data: state, spool, keys and, by default, the objects.
ENV SCANVEIL_DATA_DIR=/data
VOLUME /data
WORKDIR /data
EXPOSE 11112 8042
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["scanveil", "health", "--config", "/etc/scanveil/scanveil.toml"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["scanveil"]
CMD ["serve", "--config", "/etc/scanveil/scanveil.toml"]
