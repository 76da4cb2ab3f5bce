using System.Text;

namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>GET over HTTP/1.1, the whole answer read and thrown away.</summary>
/// <param name="route">The way there.</param>
/// <param name="path">What is asked for.</param>
/// <param name="keepAlive">Many requests a connection; otherwise one.</param>
internal sealed class HttpWorkload(Route route, string path, bool keepAlive) : StreamWorkload(route)
{
    private readonly byte[] _request = Encoding.ASCII.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: {HostOf(route)}\r\nUser-Agent: tunnelctl\r\nAccept: */*\r\n{(keepAlive ? "" : "Connection: close\r\n")}\r\n");

    private readonly HttpAnswer _answer = new();

    protected override async ValueTask<long> OperateAsync(BenchSocket socket)
    {
        await socket.SendAsync(_request).ConfigureAwait(false);
        _answer.Begin();
        while (!_answer.IsWhole)
        {
            int count = await socket.ReceiveSomeAsync(_answer.Room).ConfigureAwait(false);
            if (count == 0)
            {
                _answer.End();
                break;
            }

            _answer.Take(count);
        }

        if (!keepAlive || _answer.Closes)
            Hang();
        return _answer.Status is >= 200 and < 400
            ? _answer.BodyBytes
            : throw new LoadException(LoadError.Wrong, $"HTTP status {_answer.Status}");
    }

    private static string HostOf(Route route)
    {
        string host = route.Target.Host.Contains(':') ? $"[{route.Target.Host}]" : route.Target.Host;
        return route.Target.Port == 80 ? host : $"{host}:{route.Target.Port}";
    }
}
