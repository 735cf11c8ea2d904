# logboom as an image: docker build --tag logboom .
# Configuration: /etc/logboom/logboom.yaml; journal: the volume /var/lib/logboom.
# deploy/compose.yaml shows it in front of an aggregator.

# Debian, since the journal is locked through its flock. Node.js from 22.12 on can take a
# TCP port over from a relay that still listens.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && chmod +x dist/cli.js && npm prune --omit=dev

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY LICENSE ./
COPY deploy/image.yaml /etc/logboom/logboom.yaml
RUN ln -s /app/dist/cli.js /usr/local/bin/logboom \
  && mkdir -p /var/lib/logboom && chown 1000:1000 /var/lib/logboom

# The user `node`. Reading Docker's log files needs root: docker run --user 0.
USER 1000:1000
WORKDIR /var/lib/logboom
VOLUME /var/lib/logboom
EXPOSE 24224 24220

# SIGTERM: what clients have sent is read and committed, and 8 s are left to the outputs,
# within the 10 s that Docker waits.
STOPSIGNAL SIGTERM

# It asks over a socket in the journal's folder. A relay whose aggregator is away, or whose
# journal is full, is healthy: to restart it would not help.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s \
  CMD ["logboom", "status", "--config", "/etc/logboom/logboom.yaml"]

ENTRYPOINT ["logboom"]
CMD ["run", "--config", "/etc/logboom/logboom.yaml"]
