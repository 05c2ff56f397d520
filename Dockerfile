# The program in an image. Dependencies are vendored beforehand, so that the build needs no network:
#
#   .ci/vendor && docker build --network none --tag usage-billing .
#   docker run --rm usage-billing usage fetch --sandbox
FROM rust:1.95-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo build --config vendor/config.toml --offline --locked --release --package usage-billing-cli --features postgres

# libc, libgcc, certificates and a user without rights; no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /source/target/release/usage-billing /usr/local/bin/usage-billing
COPY --from=build /source/LICENSE-APACHE /source/LICENSE-MIT /usr/share/doc/usage-billing/
# Files that `--output` writes.
WORKDIR /data
ENTRYPOINT ["usage-billing"]
