# The app with its networks inside; it starts without a network connection.
#   docker build -t convscope .                            for a CPU
#   docker build -t convscope --build-arg TORCH=cuda .     for NVIDIA GPUs
#   --build-arg NAME=requirements-serve                    with Ray Serve, for the computing service
ARG PYTHON=3.12
FROM python:${PYTHON}-slim AS install
ARG TORCH=cpu
ARG NAME=requirements
WORKDIR /build
COPY requirements.txt requirements.lock requirements-serve.txt requirements-serve.lock ./
COPY deploy/install.sh deploy/install.sh
RUN python -m venv /opt/convscope \
    && sh deploy/install.sh /opt/convscope/bin/python "${NAME}" "${TORCH}"

FROM python:${PYTHON}-slim
RUN useradd --create-home --uid 1000 convscope \
    && install -d -o 1000 -g 1000 /home/convscope/weights
WORKDIR /app
COPY --from=install /opt/convscope /opt/convscope
COPY app.py ./
COPY .streamlit .streamlit
COPY assets assets
COPY docs/glossary.md docs/glossary.md
COPY pages pages
COPY vision_core vision_core
ENV PATH=/opt/convscope/bin:$PATH PYTHONUNBUFFERED=1 TORCH_HOME=/home/convscope/weights
USER 1000
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.headless=true", \
    "--server.address=0.0.0.0", "--server.port=8501", "--browser.serverAddress=localhost"]
