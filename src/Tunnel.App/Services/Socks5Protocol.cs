using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Tunnel.App.Config;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>A SOCKS5 reply code (RFC 1928, section 6).</summary>
public enum Socks5Reply : byte
{
    Succeeded = 0,
    GeneralFailure = 1,
    NotAllowed = 2,
    NetworkUnreachable = 3,
    HostUnreachable = 4,
    ConnectionRefused = 5,
    TimeToLiveExpired = 6,
    CommandNotSupported = 7,
    AddressTypeNotSupported = 8,
}

/// <summary>What a SOCKS5 client asks for.</summary>
public enum Socks5Command : byte
{
    Connect = 1,
    Bind = 2,
    UdpAssociate = 3,
}

/// <summary>The client broke off or does not speak SOCKS5; it has been told, where there is a way to.</summary>
public sealed class Socks5Exception(string message) : IOException(message);

/// <summary>
/// The server side of a SOCKS5 handshake on a socket: method negotiation (RFC 1928), user and password (RFC 1929), the request.
/// Reads exactly the handshake's bytes, never what follows.
/// </summary>
public sealed class Socks5Protocol(TcpSocket socket, Socks5Credentials? credentials)
{
    private const byte Version = 5;
    private const byte AuthenticationVersion = 1;
    private const byte NoAuthentication = 0;
    private const byte UserPassword = 2;
    private const byte NoAcceptableMethod = 0xFF;
    private const byte AddressIPv4 = 1;
    private const byte AddressName = 3;
    private const byte AddressIPv6 = 4;

    private readonly SocketExchange _exchange = new(socket);
    private readonly byte[] _buffer = new byte[512];

    /// <summary>The client has been told that it does not get what it wants.</summary>
    public bool HasRefused { get; private set; }

    /// <summary>Runs the handshake up to the request, which is not answered yet.</summary>
    /// <exception cref="Socks5Exception">The client is wrong; it was answered where the protocol has an answer.</exception>
    /// <exception cref="SocketException">The connection broke.</exception>
    public async Task<(Socks5Command Command, Target Target)> AcceptAsync(CancellationToken cancel)
    {
        await NegotiateAsync(cancel).ConfigureAwait(false);
        return await ReadRequestAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Answers the request; the bound address is given as zeros, which clients of CONNECT do not use.</summary>
    public async ValueTask ReplyAsync(Socks5Reply reply, CancellationToken cancel)
    {
        await SendAsync([Version, (byte)reply, 0, AddressIPv4, 0, 0, 0, 0, 0, 0], cancel).ConfigureAwait(false);
        HasRefused |= reply != Socks5Reply.Succeeded;
    }

    /// <summary>Answers that it succeeded, and at which address the client's datagrams are awaited.</summary>
    public async ValueTask ReplyAsync(IPEndPoint relay, CancellationToken cancel)
    {
        byte[] address = relay.Address.GetAddressBytes();
        byte type = address.Length == 4 ? AddressIPv4 : AddressIPv6;
        byte[] port = [(byte)(relay.Port >> 8), (byte)relay.Port];
        await SendAsync([Version, (byte)Socks5Reply.Succeeded, 0, type, .. address, .. port], cancel).ConfigureAwait(false);
    }

    private async Task NegotiateAsync(CancellationToken cancel)
    {
        await FillAsync(2, cancel).ConfigureAwait(false);
        if (_buffer[0] != Version)
            throw new Socks5Exception($"not SOCKS5: the first byte is {_buffer[0]}");
        int count = _buffer[1];
        await FillAsync(count, cancel).ConfigureAwait(false);
        byte wanted = credentials is null ? NoAuthentication : UserPassword;
        if (!_buffer.AsSpan(0, count).Contains(wanted))
        {
            await SendAsync([Version, NoAcceptableMethod], cancel).ConfigureAwait(false);
            HasRefused = true;
            throw new Socks5Exception(credentials is null ? "the client insists on authentication" : "the client offers no user and password");
        }

        await SendAsync([Version, wanted], cancel).ConfigureAwait(false);
        if (credentials is not null)
            await AuthenticateAsync(credentials, cancel).ConfigureAwait(false);
    }

    private async Task AuthenticateAsync(Socks5Credentials expected, CancellationToken cancel)
    {
        await FillAsync(2, cancel).ConfigureAwait(false);
        bool understood = _buffer[0] == AuthenticationVersion;
        byte[] user = await ReadBytesAsync(_buffer[1], cancel).ConfigureAwait(false);
        await FillAsync(1, cancel).ConfigureAwait(false);
        byte[] password = await ReadBytesAsync(_buffer[0], cancel).ConfigureAwait(false);
        bool right = understood & Matches(expected.Username, user) & Matches(expected.Password, password);
        await SendAsync([AuthenticationVersion, right ? (byte)0 : (byte)1], cancel).ConfigureAwait(false);
        HasRefused = !right;
        if (!right)
            throw new Socks5Exception("wrong user or password");
    }

    private async Task<(Socks5Command Command, Target Target)> ReadRequestAsync(CancellationToken cancel)
    {
        await FillAsync(4, cancel).ConfigureAwait(false);
        if (_buffer[0] != Version)
            throw new Socks5Exception("not SOCKS5: the request's version is wrong");
        var command = (Socks5Command)_buffer[1];
        string host = await ReadHostAsync(_buffer[3], cancel).ConfigureAwait(false);
        await FillAsync(2, cancel).ConfigureAwait(false);
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(_buffer);
        if (command is Socks5Command.Connect or Socks5Command.UdpAssociate)
            return (command, new Target(host, port));
        await ReplyAsync(Socks5Reply.CommandNotSupported, cancel).ConfigureAwait(false);
        throw new Socks5Exception($"command {(byte)command} is not supported");
    }

    private async Task<string> ReadHostAsync(byte type, CancellationToken cancel)
    {
        switch (type)
        {
            case AddressIPv4:
                return new IPAddress(await ReadBytesAsync(4, cancel).ConfigureAwait(false)).ToString();
            case AddressIPv6:
                return new IPAddress(await ReadBytesAsync(16, cancel).ConfigureAwait(false)).ToString();
            case AddressName:
                await FillAsync(1, cancel).ConfigureAwait(false);
                byte[] name = await ReadBytesAsync(_buffer[0], cancel).ConfigureAwait(false);
                if (name.Length is > 0 and <= 253 && !name.AsSpan().ContainsAnyExceptInRange((byte)0x21, (byte)0x7E))
                    return Encoding.ASCII.GetString(name);
                await ReplyAsync(Socks5Reply.GeneralFailure, cancel).ConfigureAwait(false);
                throw new Socks5Exception("the target's name is not a name");
            default:
                await ReplyAsync(Socks5Reply.AddressTypeNotSupported, cancel).ConfigureAwait(false);
                throw new Socks5Exception($"address type {type} is not supported");
        }
    }

    // Hashed first, so that neither content nor length shows in the time it takes.
    private static bool Matches(Secret expected, byte[] given) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(given), SHA256.HashData(Encoding.UTF8.GetBytes(expected.Reveal())));

    private async ValueTask<byte[]> ReadBytesAsync(int count, CancellationToken cancel)
    {
        await FillAsync(count, cancel).ConfigureAwait(false);
        return _buffer.AsSpan(0, count).ToArray();
    }

    private async ValueTask FillAsync(int count, CancellationToken cancel)
    {
        for (int have = 0; have < count;)
        {
            int n = await _exchange.ReceiveAsync(_buffer.AsMemory(have, count - have), cancel).ConfigureAwait(false);
            if (n == 0)
                throw new Socks5Exception("the client left in the middle of the handshake");
            have += n;
        }
    }

    private ValueTask SendAsync(byte[] data, CancellationToken cancel) => _exchange.SendAsync(data, cancel);
}
