using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Tunnel.EndToEnd.Harness;

/// <summary>One of the binaries under test, with its file. What it tells systemd is heard too: that it is ready, that it stops.</summary>
internal sealed partial class TunnelProcess : ChildProcess
{
    private readonly Socket _notifications;

    private TunnelProcess(string? networkNamespace, string[] command, string file, Socket notifications, string socketPath)
        : base(networkNamespace, command[0], [.. command[1..], "--config", file], EnvironmentWith(socketPath))
    {
        _notifications = notifications;
        File = file;
        _ = ListenAsync();
    }

    /// <summary>Its configuration's path.</summary>
    public string File { get; }

    /// <summary>What it told systemd, in order.</summary>
    public List<string> Notifications { get; } = [];

    /// <param name="networkNamespace">Where it runs; null is where the tests do.</param>
    /// <param name="command">The binary, perhaps with programs and arguments in front.</param>
    /// <param name="file">Its configuration, already written.</param>
    public static TunnelProcess Start(string? networkNamespace, string[] command, string file)
    {
        string socketPath = file + ".notify";
        System.IO.File.Delete(socketPath);
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(socketPath));
        return new TunnelProcess(networkNamespace, command, file, socket, socketPath);
    }

    /// <summary>Puts another file in its place at once, as careful editors do.</summary>
    public void Rewrite(string text)
    {
        System.IO.File.WriteAllText(File + ".new", text);
        System.IO.File.Move(File + ".new", File, overwrite: true);
    }

    public async Task ReadyAsync()
    {
        await Until.TrueAsync($"{Name} is ready", () => HasExited || WasNotified("READY=1"));
        Assert.True(WasNotified("READY=1"), $"{Name} ended:\n{Text}");
    }

    public bool WasNotified(string message)
    {
        lock (Notifications)
            return Notifications.Contains(message);
    }

    /// <summary>What it read again is in force, the <paramref name="times"/>th time: the log says what changes a moment before it does.</summary>
    public Task ReloadedAsync(int times = 1) => Until.TrueAsync($"{Name} has followed its file", () =>
    {
        lock (Notifications)
            return Notifications.Count(n => n.StartsWith("READY=1\nSTATUS=", StringComparison.Ordinal)) >= times;
    });

    /// <summary>A client's session is up, the <paramref name="times"/>th time.</summary>
    public Task ConnectedAsync(int times = 1, TimeSpan? limit = null) => LineAsync("is up", times, limit);

    /// <summary>The port of the <paramref name="index"/>th listener of its kind.</summary>
    public async Task<int> ListenPortAsync(string kind, int index = 0)
    {
        string line = await LineAsync($"{kind} listens on", index + 1);
        return int.Parse(PortAtEnd().Match(line).Groups[1].Value);
    }

    public Task<int> Socks5PortAsync() => ListenPortAsync("socks5");

    public Task<int> ForwardPortAsync() => ListenPortAsync("forward");

    public async Task<int> UdpForwardPortAsync()
    {
        string line = await LineAsync("for datagrams");
        return int.Parse(PortOfDatagrams().Match(line).Groups[1].Value);
    }

    private async Task ListenAsync()
    {
        byte[] buffer = new byte[512];
        try
        {
            while (true)
            {
                int count = await _notifications.ReceiveAsync(buffer);
                lock (Notifications)
                    Notifications.Add(Encoding.UTF8.GetString(buffer, 0, count));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The tests are over.
        }
    }

    private static Dictionary<string, string> EnvironmentWith(string socketPath) => new() { ["NOTIFY_SOCKET"] = socketPath };

    [GeneratedRegex(@":(\d+)$")]
    private static partial Regex PortAtEnd();

    [GeneratedRegex(@":(\d+) for datagrams$")]
    private static partial Regex PortOfDatagrams();
}
