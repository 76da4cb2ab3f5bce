using System.Net;
using System.Net.Sockets;
using System.Text;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Services;

/// <summary>The proxy's handshake, byte by byte: what clients send wrong gets the protocol's answer, or the end, and nothing stays of it.</summary>
public class Socks5Tests
{
    private const string Open = "[[socks5]]\nlisten='127.0.0.1:0'\n";
    private const string Closed = Open + "username='user'\npassword='right'\n";
    private const string Greeting = "050100";

    /// <summary>Of a request: the bound address is not told.</summary>
    private const string Rest = "0001000000000000";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("0401", "")]
    [InlineData("47455420", "")]
    [InlineData("0500", "05ff")]
    [InlineData("050101", "05ff")]
    [InlineData("05020102", "05ff")]
    [InlineData(Greeting + "04010001" + "7f000001" + "0050", "0500")]
    [InlineData(Greeting + "05020001" + "7f000001" + "0050", "0500" + "0507" + Rest)]
    [InlineData(Greeting + "05020003" + "0161" + "0050", "0500" + "0507" + Rest)]
    [InlineData(Greeting + "05000001" + "7f000001" + "0050", "0500" + "0507" + Rest)]
    [InlineData(Greeting + "05ff0004" + "00000000000000000000000000000001" + "0050", "0500" + "0507" + Rest)]
    [InlineData(Greeting + "05010000", "0500" + "0508" + Rest)]
    [InlineData(Greeting + "05010002" + "7f000001" + "0050", "0500" + "0508" + Rest)]
    [InlineData(Greeting + "050100ff" + "7f000001" + "0050", "0500" + "0508" + Rest)]
    [InlineData(Greeting + "05010003" + "00" + "0050", "0500" + "0501" + Rest)]
    [InlineData(Greeting + "05010003" + "03610062" + "0050", "0500" + "0501" + Rest)]
    [InlineData(Greeting + "05010003" + "03612062" + "0050", "0500" + "0501" + Rest)]
    [InlineData(Greeting + "05010003" + "0361ff62" + "0050", "0500" + "0501" + Rest)]
    public async Task WrongRequests(string request, string answer)
    {
        await using TunnelPair pair = await TunnelPair.StartAsync(Open);
        Assert.Equal(answer, await AnswerToAsync(pair.Listener, Hex.Bytes(request)));
        await Eventually(() => pair.Client.Listeners[0].Active == 0);
    }

    [Theory]
    [InlineData(254)]
    [InlineData(255)]
    public async Task ANameThatIsTooLong(int length)
    {
        await using TunnelPair pair = await TunnelPair.StartAsync(Open);
        byte[] request = [.. Hex.Bytes(Greeting + "05010003"), (byte)length, .. Enumerable.Repeat((byte)'a', length), 0, 80];
        Assert.Equal("0500" + "0501" + Rest, await AnswerToAsync(pair.Listener, request));
    }

    /// <summary>Users and passwords: their lengths and bytes, and whether they may pass.</summary>
    [Theory]
    [InlineData("050100", "05ff")]
    [InlineData("050102" + "0104" + "75736572" + "05" + "7269676874", "0502" + "0100")]
    [InlineData("05020002" + "0104" + "75736572" + "05" + "7269676874", "0502" + "0100")]
    [InlineData("050102" + "0104" + "75736572" + "05" + "77726f6e67", "0502" + "0101")]
    [InlineData("050102" + "0104" + "55736572" + "05" + "7269676874", "0502" + "0101")]
    [InlineData("050102" + "0104" + "75736572" + "04" + "72696768", "0502" + "0101")]
    [InlineData("050102" + "0104" + "75736572" + "06" + "726967687400", "0502" + "0101")]
    [InlineData("050102" + "0100" + "00", "0502" + "0101")]
    [InlineData("050102" + "0504" + "75736572" + "05" + "7269676874", "0502" + "0101")]
    [InlineData("050102" + "0004" + "75736572" + "05" + "7269676874", "0502" + "0101")]
    public async Task Authentication(string request, string answer)
    {
        await using TunnelPair pair = await TunnelPair.StartAsync(Closed);
        Assert.Equal(answer, await AnswerToAsync(pair.Listener, Hex.Bytes(request)));
        await Eventually(() => pair.Client.Listeners[0].Active == 0);
    }

    [Fact]
    public async Task UsersAndPasswordsAsLongAsTheyCanBeAreReadWholeAndRefused()
    {
        await using TunnelPair pair = await TunnelPair.StartAsync(Closed);
        byte[] longest = [255, .. Enumerable.Repeat((byte)'x', 255)];
        Assert.Equal("0502" + "0101", await AnswerToAsync(pair.Listener, [5, 1, 2, 1, .. longest, .. longest]));
    }

    [Fact]
    public async Task ARequestThatEndsAnywhereLeavesNothing()
    {
        await using TunnelPair pair = await TunnelPair.StartAsync(Open);
        byte[] whole = Hex.Bytes(Greeting + "05010003" + "09" + "6c6f63616c686f7374" + "0050");
        for (int length = 0; length < whole.Length; length++)
            Assert.Equal(length < 3 ? "" : "0500", await AnswerToAsync(pair.Listener, whole[..length]));
        await Eventually(() => pair.Client.Listeners[0].Active == 0);
        Assert.Equal(0, pair.Server.Udp.Flows);
    }

    /// <summary>A byte at a time, or everything at once with the data behind it: the handshake takes what is its own and no more.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HoweverTheBytesCome(bool slowly)
    {
        using var target = new TcpAnswerer();
        await using TunnelPair pair = await TunnelPair.StartAsync(Closed);
        byte[] data = Encoding.ASCII.GetBytes("the data behind the request");
        string request = "05020002" + "0104" + "75736572" + "05" + "7269676874" + "05010001" + "7f000001" + $"{target.Port:x4}";
        using Socket socket = await ConnectAsync(pair.Listener);
        byte[] all = [.. Hex.Bytes(request), .. data];
        for (int i = 0; i < all.Length; i += slowly ? 1 : all.Length)
        {
            await socket.SendAsync(all.AsMemory(i, slowly ? 1 : all.Length), Cancel);
            await Task.Yield();
        }

        socket.Shutdown(SocketShutdown.Send);
        byte[] answer = await TcpAnswerer.ReceiveAllAsync(socket, Cancel);
        Assert.Equal("0502" + "0100" + "0500" + Rest + Hex.Of(TcpAnswerer.Answer(data)), Hex.Of(answer));
    }

    /// <summary>Who speaks before he is answered hears the answer all the same: no reset overtakes it.</summary>
    [Theory]
    [InlineData(Open, Greeting + "05020001" + "7f000001" + "0050", "0500" + "0507" + Rest)]
    [InlineData(Open, Greeting + "05010001" + "7f000001" + "0001", "0500" + "0505" + Rest)]
    [InlineData(Open, "050101", "05ff")]
    [InlineData(Closed, "050102" + "0104" + "75736572" + "05" + "77726f6e67", "0502" + "0101")]
    public async Task ARefusalIsHeardByWhoHasSaidMoreAlready(string listener, string request, string answer)
    {
        await using TunnelPair pair = await TunnelPair.StartAsync(listener);
        using Socket socket = await ConnectAsync(pair.Listener);
        await socket.SendAsync((byte[])[.. Hex.Bytes(request), .. new byte[100_000]], Cancel);
        Assert.Equal(answer, Hex.Of(await TcpAnswerer.ReceiveAllAsync(socket, Cancel)));
        socket.Close();
        await Eventually(() => pair.Client.Listeners[0].Active == 0);
    }

    /// <summary>Everything that the proxy says to somebody who says this and no more.</summary>
    private static async Task<string> AnswerToAsync(IPEndPoint proxy, byte[] request)
    {
        using Socket socket = await ConnectAsync(proxy);
        await socket.SendAsync(request, Cancel);
        socket.Shutdown(SocketShutdown.Send);
        using var all = new MemoryStream();
        byte[] buffer = new byte[256];
        try
        {
            while (await socket.ReceiveAsync(buffer, Cancel) is > 0 and var count)
                all.Write(buffer, 0, count);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // What was not read of a wrong request makes the end a reset.
        }

        return Hex.Of(all.ToArray());
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint proxy)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(proxy, Cancel);
        return socket;
    }

    private static async Task Eventually(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(10, limit.Token);
    }
}
