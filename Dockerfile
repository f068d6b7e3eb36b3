# One image for the worker and the api: they are the same build, started with another command. Both parts of the simulated outside are in it too.
# Not Alpine: Temporal's native bridge needs glibc.

FROM node:24.11.1-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json config.ts worker.ts ./
COPY domain domain
COPY workflows workflows
COPY activities activities
COPY adapters adapters
COPY db db
COPY relay relay
COPY api api
COPY simulators simulators
RUN npm run build

FROM node:24.11.1-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24.11.1-bookworm-slim
# The native bridge trusts the system's certificates, and the slim image has none.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN mkdir /state && chown node:node /state
ARG BUILD_ID=dev
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 WORKFLOW_BUNDLE=/app/dist/workflow-bundle.js BUILD_ID=${BUILD_ID}
USER node
EXPOSE 3000
# For the api. A worker listens on nothing but its metrics port, so whoever runs one says how it is looked at.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/api/server.js"]
