# One process, one volume. Build: docker build -t jit-access .
# Run: see docs/operations.md#in-a-container
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node 24 itself, so the pinned one of optionalDependencies is left out.
RUN npm ci --omit=dev --omit=optional

FROM node:24-bookworm-slim
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE jit.example.yaml jit.schema.json ./
COPY migrations ./migrations
COPY manifests ./manifests
COPY src ./src
# The service wants its data folder for itself: a new volume takes over owner and mode from here.
RUN install -d -o node -g node -m 0700 /data
# Reachable from other containers, hence a configuration of your own: the example only runs on loopback.
ENV HOST=0.0.0.0 PORT=3000 DATABASE_URL=file:/data/jit.db JIT_CONFIG=/config/jit.yaml
# 1000 is node, as a number so that a cluster can tell that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node itself, no shell and no npm in between: SIGTERM and SIGHUP reach the service.
CMD ["node", "--import", "./src/runtime/require-node.mjs", "src/main.ts"]
