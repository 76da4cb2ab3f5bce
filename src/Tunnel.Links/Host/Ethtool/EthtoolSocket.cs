using System.Text;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Host.Ethtool;

/// <summary>Hands a driver one request, a block of bytes that begins with the command's number and is filled with the answer.</summary>
internal static unsafe class EthtoolSocket
{
    private const int RequestSize = 40;

    /// <summary>0, or the errno with which the driver or the kernel refused.</summary>
    internal static int Ask(string name, Span<byte> block)
    {
        byte* request = stackalloc byte[RequestSize];
        new Span<byte>(request, RequestSize).Clear();
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) >= IFNAMSIZ)
            return ENODEV;
        Encoding.UTF8.GetBytes(name, new Span<byte>(request, IFNAMSIZ));
        int socket = Libc.Socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (socket < 0)
            return Libc.LastError;
        fixed (byte* data = block)
        {
            *(byte**)(request + IFNAMSIZ) = data;
            int error = Libc.IoControl(socket, SIOCETHTOOL, request) == 0 ? 0 : Libc.LastError;
            _ = Libc.Close(socket);
            return error;
        }
    }
}
