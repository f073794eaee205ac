# The bridge in a container: one process, no root, its project folder mounted at /project.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY bridge ./bridge
RUN python -m venv /opt/bridge && /opt/bridge/bin/pip install --no-cache-dir ".[collect,documents]"

FROM python:${PYTHON}-slim
RUN useradd --uid 1000 --create-home --shell /usr/sbin/nologin bridge
COPY --from=build /opt/bridge /opt/bridge
ENV PATH=/opt/bridge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BRIDGE_PROJECT=/project \
    BRIDGE_LOG=json \
    # inside a container every interface is the container's own; what is published is decided outside
    BRIDGE_HOST=0.0.0.0 \
    BRIDGE_PORT=8080
USER bridge
WORKDIR /project
VOLUME /project
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["bridge"]
CMD ["serve"]
