using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tunnel.Ctl.Bench;

/// <summary>The client's half of SOCKS5 (RFC 1928, RFC 1929).</summary>
/// <param name="Address">Where the proxy listens.</param>
/// <param name="Username">Null: no authentication.</param>
/// <param name="Password">Null with <paramref name="Username"/>.</param>
internal sealed record Socks5Proxy(IPEndPoint Address, string? Username, string? Password)
{
    private const byte Version = 5;
    private const byte NoAuthentication = 0;
    private const byte UserAndPassword = 2;
    private const byte Connect = 1;
    private const byte Associate = 3;
    private const byte IPv4 = 1;
    private const byte Name = 3;
    private const byte IPv6 = 4;
    private const int LongestReply = 4 + 256 + 2;

    /// <summary>socks5://[user:password@]address:port</summary>
    /// <exception cref="FormatException">It is not that.</exception>
    public static Socks5Proxy Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("socks5" or "socks5h")
            || !IPAddress.TryParse(uri.Host.Trim('[', ']'), out IPAddress? address) || uri.Port <= 0)
            throw new FormatException($"\"{text}\" is not socks5://[user:password@]ADDRESS:PORT");
        string[] user = uri.UserInfo.Split(':', 2);
        return user is [{ Length: > 0 } name, var password]
            ? new Socks5Proxy(new IPEndPoint(address, uri.Port), Uri.UnescapeDataString(name), Uri.UnescapeDataString(password))
            : new Socks5Proxy(new IPEndPoint(address, uri.Port), null, null);
    }

    /// <exception cref="LoadException">The proxy says that it cannot, or says nonsense.</exception>
    public ValueTask ConnectAsync(BenchSocket socket, DnsEndPoint target) => Discard(RequestAsync(socket, Connect, target));

    /// <summary>Asks for an association; it lives as long as the connection does.</summary>
    /// <returns>Where datagrams go.</returns>
    /// <exception cref="LoadException">The proxy says that it cannot, or says nonsense.</exception>
    public async ValueTask<IPEndPoint> AssociateAsync(BenchSocket socket)
    {
        IPEndPoint relay = await RequestAsync(socket, Associate, new DnsEndPoint("0.0.0.0", 0)).ConfigureAwait(false);
        return relay.Address.Equals(IPAddress.Any) || relay.Address.Equals(IPAddress.IPv6Any)
            ? new IPEndPoint(Address.Address, relay.Port)
            : relay;
    }

    /// <summary>Writes what names a target in requests and in front of datagrams: type, address, port.</summary>
    public static int WriteAddress(Span<byte> destination, string host, int port)
    {
        int length;
        if (IPAddress.TryParse(host, out IPAddress? literal))
        {
            destination[0] = literal.AddressFamily == AddressFamily.InterNetwork ? IPv4 : IPv6;
            literal.TryWriteBytes(destination[1..], out length);
            length++;
        }
        else
        {
            destination[0] = Name;
            destination[1] = (byte)Encoding.ASCII.GetBytes(host, destination[2..]);
            length = 2 + destination[1];
        }

        BinaryPrimitives.WriteUInt16BigEndian(destination[length..], (ushort)port);
        return length + 2;
    }

    /// <summary>How long such a name is.</summary>
    /// <returns>Its length in bytes, port included; -1 when it is none.</returns>
    public static int AddressLength(ReadOnlySpan<byte> text)
    {
        if (text.Length < 2)
            return -1;
        int length = text[0] switch
        {
            IPv4 => 1 + 4 + 2,
            IPv6 => 1 + 16 + 2,
            Name => 2 + text[1] + 2,
            _ => -1,
        };
        return length <= text.Length ? length : -1;
    }

    private static async ValueTask Discard(ValueTask<IPEndPoint> answer) => await answer.ConfigureAwait(false);

    private async ValueTask<IPEndPoint> RequestAsync(BenchSocket socket, byte command, DnsEndPoint target)
    {
        byte[] buffer = new byte[600];
        await GreetAsync(socket, buffer).ConfigureAwait(false);
        buffer[0] = Version;
        buffer[1] = command;
        buffer[2] = 0;
        int length = 3 + WriteAddress(buffer.AsSpan(3), target.Host, target.Port);
        await socket.SendAsync(buffer.AsMemory(0, length)).ConfigureAwait(false);
        return await ReadReplyAsync(socket, buffer.AsMemory(0, LongestReply)).ConfigureAwait(false);
    }

    private async ValueTask GreetAsync(BenchSocket socket, byte[] buffer)
    {
        byte method = Username is null ? NoAuthentication : UserAndPassword;
        (buffer[0], buffer[1], buffer[2]) = (Version, 1, method);
        await socket.SendAsync(buffer.AsMemory(0, 3)).ConfigureAwait(false);
        await socket.ReceiveAsync(buffer.AsMemory(0, 2)).ConfigureAwait(false);
        if (buffer[0] != Version || buffer[1] != method)
            throw new LoadException(LoadError.Refused, "the proxy wants another authentication");
        if (Username is null)
            return;
        int length = WriteCredentials(buffer);
        await socket.SendAsync(buffer.AsMemory(0, length)).ConfigureAwait(false);
        await socket.ReceiveAsync(buffer.AsMemory(0, 2)).ConfigureAwait(false);
        if (buffer[1] != 0)
            throw new LoadException(LoadError.Refused, "the proxy does not take this user and password");
    }

    private int WriteCredentials(byte[] buffer)
    {
        buffer[0] = 1;
        buffer[1] = (byte)Encoding.UTF8.GetBytes(Username!, buffer.AsSpan(2));
        int length = 2 + buffer[1];
        buffer[length] = (byte)Encoding.UTF8.GetBytes(Password!, buffer.AsSpan(length + 1));
        return length + 1 + buffer[length];
    }

    private static async ValueTask<IPEndPoint> ReadReplyAsync(BenchSocket socket, Memory<byte> buffer)
    {
        await socket.ReceiveAsync(buffer[..5]).ConfigureAwait(false);
        if (buffer.Span[0] != Version)
            throw new LoadException(LoadError.Wrong, "that is not a SOCKS5 proxy");
        ThrowIfRefused(buffer.Span[1]);
        int rest = buffer.Span[3] switch
        {
            IPv4 => 4 + 2 - 1,
            IPv6 => 16 + 2 - 1,
            Name => buffer.Span[4] + 2,
            _ => throw new LoadException(LoadError.Wrong, "the proxy's reply has an unknown address type"),
        };
        await socket.ReceiveAsync(buffer.Slice(5, rest)).ConfigureAwait(false);
        ReadOnlySpan<byte> reply = buffer.Span[..(5 + rest)];
        IPAddress address = reply[3] == Name ? IPAddress.Any : new IPAddress(reply[4..^2]);
        return new IPEndPoint(address, BinaryPrimitives.ReadUInt16BigEndian(reply[^2..]));
    }

    private static void ThrowIfRefused(byte code)
    {
        switch (code)
        {
            case 0:
                return;
            case 3 or 4:
                throw new LoadException(LoadError.Unreachable, "the proxy finds no way to the target");
            case 6:
                throw new LoadException(LoadError.Timeout, "the proxy's dial timed out");
            default:
                throw new LoadException(LoadError.Refused, $"the proxy refused (reply {code})");
        }
    }
}
