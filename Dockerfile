# One image for both ends. It has not been built where it was written (no container engine there): what its steps run was run by hand, the
# first in a folder with what it copies, the second in a root of Debian 13, and so was the server, as that user with an engine's default
# capabilities. A test holds it to the files that the repository has.
#
#   docker build -t tunnel .
#   docker run --network host --cap-add NET_ADMIN -v /etc/tunnel:/etc/tunnel:ro tunnel
#   docker run --network host --cap-add NET_ADMIN -v /etc/tunnel:/etc/tunnel:ro --entrypoint tunnel-client tunnel --config /etc/tunnel/client.toml
#
# NET_RAW is among what an engine grants by default, NET_ADMIN is not: without it the executables do not start at all ("operation not
# permitted"), because of their file capabilities. --network host, because the host's kernel must not answer the tunnel's segments, and
# they come in at the host's interface. The files must be readable by the image's user (id 1654). "no new privileges" switches file
# capabilities off: there, run it as root (--user 0).

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig Tunnel.sln dev ./
COPY src src
COPY cmd cmd
RUN ./dev publish /out

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# libcap2-bin is for setcap only. Newer releases call libpcap0.8 libpcap0.8t64, which provides the older name.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libpcap0.8 nftables libcap2-bin \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/tunnel-client /out/tunnel-server /out/tunnelctl /usr/local/bin/
# Capabilities of files, as the user is not root. nft needs its own: an executable's do not pass to the programs that it starts.
RUN setcap cap_net_raw,cap_net_admin+ep /usr/local/bin/tunnel-client \
    && setcap cap_net_raw,cap_net_admin+ep /usr/local/bin/tunnel-server \
    && setcap cap_net_admin+ep /usr/sbin/nft \
    && apt-get purge -y --auto-remove libcap2-bin
# The user that the base image has for this.
USER app

# No HEALTHCHECK: a process that has ended is noticed without one, and nothing here says yet whether a running one serves ("tunnelctl
# version" would say yes in any case).
ENTRYPOINT ["/usr/local/bin/tunnel-server"]
CMD ["--config", "/etc/tunnel/server.toml"]
