using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Hosting;

namespace Tunnel.App.Hosting;

/// <summary>
/// Tells systemd that the service is ready, reads its file again, is stopping, and is alive (sd_notify(3): datagrams to the socket that NOTIFY_SOCKET
/// names). Does nothing elsewhere.
/// </summary>
internal sealed class SystemdNotifier(IHostApplicationLifetime lifetime) : IHostedService, IDisposable
{
    private readonly string? _socketPath = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");
    private Timer? _watchdog;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(_socketPath))
            return Task.CompletedTask;
        lifetime.ApplicationStarted.Register(OnStarted);
        lifetime.ApplicationStopping.Register(() => Send("STOPPING=1"));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _watchdog?.Dispose();

    /// <summary>The file is being read again. The time tells systemd which of its requests this answers (Type=notify-reload).</summary>
    public void Reloading() => Send($"RELOADING=1\nMONOTONIC_USEC={Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000)}");

    /// <param name="status">What an operator should know about it, one line; empty for nothing.</param>
    public void Reloaded(string status) => Send($"READY=1\nSTATUS={status}");

    private void OnStarted()
    {
        Send("READY=1");
        if (!long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), out long microseconds) || microseconds <= 0)
            return;
        // systemd advises half of the limit.
        TimeSpan interval = TimeSpan.FromMicroseconds(microseconds / 2.0);
        _watchdog = new Timer(_ => Send("WATCHDOG=1"), null, interval, interval);
    }

    private void Send(string message)
    {
        if (string.IsNullOrEmpty(_socketPath))
            return;
        try
        {
            // A leading @ means the abstract namespace, whose names begin with a NUL.
            string path = _socketPath.StartsWith('@') ? '\0' + _socketPath[1..] : _socketPath;
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(message), new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            // Nobody listens; the service runs all the same.
        }
    }
}
