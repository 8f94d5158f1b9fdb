# Sluice and its device simulator. Debian's glibc, because LevelDB and sharp come prebuilt for it.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
# Without scripts: nothing is compiled at install, and `prepare` wants the sources that come next.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY broker broker
COPY bridge bridge
COPY device-sim device-sim
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24.21.0-bookworm-slim
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/bridge/sluice bridge/sluice
# A named volume takes its owner from here.
RUN mkdir /data && chown node:node /data

# Inside a container loopback reaches nobody, so the listeners are open; and because of that Sluice
# starts only when it is told who may publish (SLUICE_AUTH_ANONYMOUS) and what token changes things
# (SLUICE_HTTP_TOKEN or SLUICE_HTTP_TOKEN_FILE). docker-compose.yml does both, and publishes on loopback.
ENV NODE_ENV=production \
    SLUICE_DATA_DIR=/data \
    SLUICE_MQTT_LISTEN=0.0.0.0:1883 \
    SLUICE_HTTP_LISTEN=0.0.0.0:8080
EXPOSE 1883 8080
VOLUME /data
# The user node, by number: so Kubernetes can see that it is not root.
USER 1000:1000
STOPSIGNAL SIGTERM
# Whether the process answers, not whether the store does: a restart does not bring a store back.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/app/bridge/sluice"]
CMD ["serve"]
