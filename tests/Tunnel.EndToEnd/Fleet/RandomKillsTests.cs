using System.Diagnostics;
using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Fleet;

/// <summary>
/// Sixty-four connections that echo without pause, while connections and servers are killed at random. Whatever arrives is what was
/// sent, in order, whole and once; whoever was not killed, and whose server was not, gets to its end.
/// </summary>
public class RandomKillsTests : EndToEndTest
{
    private const string SecondsVariable = "TUNNEL_TEST_SECONDS";
    private const string SeedVariable = "TUNNEL_TEST_SEED";

    private const int Workers = 64;

    private readonly CancellationTokenSource _over = new();
    private int _finished;
    private int _broken;
    private int _abandoned;

    [Fact(Timeout = 4 * Limit)]
    public async Task NothingIsLostOrDoubledOnWhatSurvives()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable(SeedVariable), out int given) ? given : Environment.TickCount;
        int seconds = int.TryParse(Environment.GetEnvironmentVariable(SecondsVariable), out int longer) ? longer : 8;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed} ({SeedVariable}), {seconds} s ({SecondsVariable})");
        SocketTarget target = Own(SocketTarget.StartEcho());
        LoopbackFleet fleet = await LoopbackFleet.StartAsync(this, [FreeUdpPort(), FreeUdpPort(), FreeUdpPort()], conn: 2, _ => []);
        Task[] workers = [.. Enumerable.Range(0, Workers).Select(i => WorkAsync(fleet.Proxy, target.Port, seed + i))];
        await KillServersAsync(fleet, new Random(seed), TimeSpan.FromSeconds(seconds));
        await _over.CancelAsync();
        await Task.WhenAll(workers);
        TestContext.Current.TestOutputHelper?.WriteLine($"{_finished} finished, {_abandoned} abandoned, {_broken} broken");
        // Each of the three happened, or the test has shown nothing; and after the last kill everybody finished once.
        Assert.InRange(_finished, Workers, int.MaxValue);
        Assert.NotEqual(0, _abandoned);
        Assert.NotEqual(0, _broken);
        Assert.Equal(0, fleet.Client.Count("was ended by a defect"));
    }

    /// <summary>One server at a time: killed, away for a moment, started again.</summary>
    private static async Task KillServersAsync(LoopbackFleet fleet, Random random, TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < duration)
        {
            await Task.Delay(random.Next(500, 2000));
            int victim = random.Next(fleet.Servers.Count);
            await fleet.KillAsync(victim);
            await Task.Delay(random.Next(100, 1000));
            await fleet.RestartAsync(victim);
        }
    }

    /// <summary>One connection after another, until the time is over; the last one is let finish.</summary>
    private async Task WorkAsync(int proxy, int targetPort, int seed)
    {
        var random = new Random(seed);
        bool last = false;
        for (bool finished = false; !(last && finished);)
        {
            last = _over.IsCancellationRequested;
            Socket? socket = await ConnectAsync(proxy, targetPort);
            if (socket is null)
                continue;
            using (socket)
                finished = await EchoAsync(socket, random.Next(), 1 + random.Next(300_000), abandon: !last && random.Next(4) == 0);
        }
    }

    /// <summary>Null when the server that was asked died over it.</summary>
    private static async Task<Socket?> ConnectAsync(int proxy, int port)
    {
        try
        {
            (Socket socket, byte reply) = await SocksClient.TryConnectAsync(proxy, "127.0.0.1", port);
            if (reply == SocksClient.Succeeded)
                return socket;
            socket.Dispose();
            return null;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }

    /// <summary>Whether all came back. A connection that its server took along breaks; it does not end as if that were all.</summary>
    private async Task<bool> EchoAsync(Socket socket, int seed, int length, bool abandon)
    {
        byte[] sent = Payload.Bytes(seed, length);
        int enough = abandon ? length / 2 : length;
        Task sending = SendAsync(socket, sent);
        try
        {
            int have = await ReceiveAsync(socket, sent, enough);
            Interlocked.Increment(ref abandon ? ref _abandoned : ref _finished);
            Assert.True(have >= enough, $"the connection ended in order after {have} of {length} bytes");
            return !abandon;
        }
        catch (SocketException)
        {
            Interlocked.Increment(ref _broken);
            return false;
        }
        finally
        {
            // With what is not read yet, this is a reset.
            socket.Close(0);
            await sending;
        }
    }

    private static async Task SendAsync(Socket socket, byte[] data)
    {
        try
        {
            await socket.SendAllAsync(data);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The receiving side says how it ended.
        }
    }

    /// <summary>Receives so much, or to the end; every byte is the one that was sent there.</summary>
    private static async Task<int> ReceiveAsync(Socket socket, byte[] sent, int enough)
    {
        byte[] buffer = new byte[16 * 1024];
        int have = 0;
        while (have < enough)
        {
            int count = await socket.ReceiveAsync(buffer);
            if (count == 0)
                return have;
            Assert.True(have + count <= sent.Length && buffer.AsSpan(0, count).SequenceEqual(sent.AsSpan(have, count)), $"wrong bytes at {have}");
            have += count;
        }

        return have;
    }
}
