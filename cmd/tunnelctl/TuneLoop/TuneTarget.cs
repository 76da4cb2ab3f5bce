using System.Net;
using System.Net.Sockets;
using Tunnel.Ctl.Lab;

namespace Tunnel.Ctl.TuneLoop;

/// <summary>
/// What the load goes to: a `bench serve` of this loop's own, a process beside it that is started anew for each bench, so that it listens with
/// the settings of then; or a target that is there already.
/// </summary>
internal sealed class TuneTarget : IAsyncDisposable
{
    private const int Ports = 3;
    private const int Attempts = 5;

    private readonly bool _isOwn;
    private readonly int? _backlog;
    private LabProcess? _server;
    private int _first;

    private TuneTarget(bool isOwn, int? backlog)
    {
        _isOwn = isOwn;
        _backlog = backlog;
    }

    /// <summary>A target of its own.</summary>
    /// <param name="backlog">That it asks for; null: as many as the kernel allows.</param>
    public static TuneTarget Own(int? backlog) => new(isOwn: true, backlog);

    /// <summary>Somebody else's, which this loop neither starts nor stops.</summary>
    public static TuneTarget Other { get; } = new(isOwn: false, null);

    /// <summary>Its HTTP port's address; of its own only.</summary>
    public string Http => $"http://127.0.0.1:{_first}/";

    /// <summary>Its echo port's address; of its own only.</summary>
    public string Echo => $"127.0.0.1:{_first + 1}";

    /// <summary>Its bulk port's address; of its own only.</summary>
    public string Bulk => $"127.0.0.1:{_first + 2}";

    /// <summary>Starts it, or starts it anew on the same ports.</summary>
    /// <exception cref="LabException">It does not start.</exception>
    public async Task ListenAsync(CancellationToken cancel)
    {
        if (!_isOwn)
            return;
        await DisposeAsync().ConfigureAwait(false);
        if (_first != 0)
        {
            await StartAsync(cancel).ConfigureAwait(false);
            return;
        }

        // Three ports in a row: another program may have one of them, and then it ends at once.
        for (int attempt = 1; ; attempt++)
        {
            _first = FreePort();
            try
            {
                await StartAsync(cancel).ConfigureAwait(false);
                return;
            }
            catch (LabException) when (attempt < Attempts && _server!.HasExited)
            {
                await DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is null)
            return;
        await _server.DisposeAsync().ConfigureAwait(false);
        _server = null;
    }

    private async Task StartAsync(CancellationToken cancel)
    {
        string[] backlog = _backlog is { } told ? ["--backlog", $"{told}"] : [];
        _server = LabProcess.Start(null, [Environment.ProcessPath!, "bench", "serve", "--listen", $"127.0.0.1:{_first}", .. backlog]);
        await _server.WaitForAsync("serving", cancel).ConfigureAwait(false);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return Math.Min(((IPEndPoint)socket.LocalEndPoint!).Port, ushort.MaxValue - Ports);
    }
}
