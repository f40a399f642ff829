# The image of Errand, and with --target backup one that also writes backups of PostgreSQL.
#
#   docker build -t errand .
#   docker buildx build --platform linux/amd64,linux/arm64 -t registry.example.com/errand --push .
#
# test/deploy builds the same file tree and runs the program in it, without a container daemon.

ARG GO_VERSION=1.26
ARG POSTGRES_VERSION=17

# The compiler runs on the machine's own platform and compiles for the image's.
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS=linux
ARG TARGETARCH=amd64
ARG VERSION=0.1.0-dev
ARG COMMIT=unknown
ARG DATE=unknown
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT -X main.date=$DATE" \
    -o /out/errand ./cmd/errand
RUN mkdir -m 0700 /out/data

# Errand with PostgreSQL's client programs, for "errand backup" and "errand restore". They must not be older than the
# database server.
FROM postgres:${POSTGRES_VERSION}-alpine AS backup
COPY --from=build /out/errand /usr/local/bin/errand
COPY --chmod=0555 ops/backup.sh /usr/local/bin/errand-backups
RUN install -d -m 0700 -o 65532 -g 65532 /backups
USER 65532:65532
VOLUME /backups
ENTRYPOINT []
CMD ["errand-backups"]

# Errand alone. The program contains the web page, CA certificates and time zones, so the image has nothing else.
FROM scratch
LABEL org.opencontainers.image.title="Errand" \
      org.opencontainers.image.description="A self-hostable backend for an AI task assistant" \
      org.opencontainers.image.licenses="MIT"
COPY LICENSE /LICENSE
COPY --from=build /out/errand /errand
COPY --from=build --chown=65532:65532 /out/data /data
# Only /data is written, also SQLite's temporary files: the root can be read-only.
ENV ENVIRONMENT=production \
    ADDR=:8080 \
    DATABASE_URL=sqlite:/data/errand.db \
    SQLITE_TMPDIR=/data
USER 65532:65532
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["/errand", "health"]
ENTRYPOINT ["/errand"]
CMD ["serve"]
