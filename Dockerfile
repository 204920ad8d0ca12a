# One image for every process of the shop, the monitor, and the setup commands: which one runs is said
# by its argument, or by RUSHLIGHT_SERVICE.
#
# D1. The user is a number, the root file system may be read-only: written are RUSHLIGHT_DATA and /tmp.
# D2. Nothing of the machine that builds is left in it: settings of npm come as a secret of the build.
# D3. The version of Node is the one that package.json names.

ARG NODE_IMAGE=docker.io/library/node:26.10.0-bookworm-slim

# What packages are installed from: as long as it stays the same, so do the two stages after it.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /opt/rushlight
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete \
 && find . -type d -empty -delete

# Not "npm ci": it refuses a lock in which packages for other systems are missing.
FROM ${NODE_IMAGE} AS packages
WORKDIR /opt/rushlight
COPY --from=manifests /opt/rushlight ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm install --no-save --omit=dev --ignore-scripts --loglevel=error --no-update-notifier \
      -w services -w monitor -w deploy/setup \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM ${NODE_IMAGE} AS console
WORKDIR /opt/rushlight
COPY --from=manifests /opt/rushlight ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm install --no-save --include=dev --ignore-scripts --loglevel=error --no-update-notifier -w console
COPY tsconfig.json ./
COPY contracts/src contracts/src
COPY console console
RUN npm run build -w console

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Rushlight" \
      org.opencontainers.image.description="An ordering platform built to survive a rush, and the lab that proves it." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Volumes that are new belong to whom their folder belongs in the image: data to the services, secrets
# to setup alone.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn* \
 && mkdir -p /var/lib/rushlight /run/rushlight /opt/rushlight/.compiled \
 && chown 10001:10001 /var/lib/rushlight /opt/rushlight/.compiled \
 && chown 10000:10000 /run/rushlight \
 && chmod 0700 /var/lib/rushlight
WORKDIR /opt/rushlight
COPY --from=packages /opt/rushlight/node_modules ./node_modules
COPY --from=console /opt/rushlight/console/dist ./console/dist
COPY package.json LICENSE ./
COPY contracts contracts
COPY chassis chassis
COPY services services
COPY monitor monitor
COPY deploy deploy
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/opt/rushlight/.compiled \
    RUSHLIGHT_LISTEN_HOST=0.0.0.0 \
    RUSHLIGHT_LISTEN_PORT=8080 \
    RUSHLIGHT_DATA=/var/lib/rushlight
USER 10001:10001
# Compiled once, here, and by the user whose processes read it: a start takes half the processor time.
RUN deploy/image/warm
EXPOSE 8080 4318
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["/opt/rushlight/deploy/image/is-ready"]
ENTRYPOINT ["/opt/rushlight/deploy/image/start"]
