using System.Net.Sockets;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Sockets;

/// <summary>The kernel's error numbers in the platform's words, so that all sockets fail alike.</summary>
internal static class SocketErrors
{
    internal static SocketException Last() => Exception(Libc.LastError);

    internal static SocketException Exception(int error) => new((int)Of(error), Libc.Describe(error));

    internal static SocketError Of(int error) => error switch
    {
        EACCES or EPERM => SocketError.AccessDenied,
        ENFILE or EMFILE => SocketError.TooManyOpenSockets,
        ENOMEM or ENOBUFS => SocketError.NoBufferSpaceAvailable,
        EINVAL => SocketError.InvalidArgument,
        EPIPE => SocketError.Shutdown,
        EAFNOSUPPORT => SocketError.AddressFamilyNotSupported,
        EADDRINUSE => SocketError.AddressAlreadyInUse,
        EADDRNOTAVAIL => SocketError.AddressNotAvailable,
        ENETDOWN => SocketError.NetworkDown,
        ENETUNREACH => SocketError.NetworkUnreachable,
        ECONNABORTED => SocketError.ConnectionAborted,
        ECONNRESET => SocketError.ConnectionReset,
        ETIMEDOUT => SocketError.TimedOut,
        ECONNREFUSED => SocketError.ConnectionRefused,
        EHOSTDOWN => SocketError.HostDown,
        EHOSTUNREACH => SocketError.HostUnreachable,
        _ => SocketError.SocketError,
    };
}
