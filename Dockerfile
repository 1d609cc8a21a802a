# One image for workers, web and the Prefect server: client and server of Prefect must be of one version.
#   docker build -t tingfeng:0.1.0 .            process workers
#   docker build -t tingfeng:0.1.0 --build-arg EXTRAS=docker .      (or kubernetes: for workers of such a pool)
FROM python:3.11.14-slim-bookworm
ARG EXTRAS=""
ENV PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    TINGFENG_HOME=/var/lib/tingfeng PREFECT_HOME=/var/lib/tingfeng/prefect \
    PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1
WORKDIR /opt/tingfeng
COPY . .
RUN pip install --constraint constraints.txt --editable ".${EXTRAS:+[$EXTRAS]}" \
    && useradd --uid 10001 --no-create-home --home-dir /var/lib/tingfeng tingfeng \
    && install -d -o tingfeng -g tingfeng /var/lib/tingfeng
USER 10001
VOLUME /var/lib/tingfeng
ENTRYPOINT ["deploy/start"]
CMD ["web"]
