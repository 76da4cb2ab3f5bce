using System.Net;
using System.Net.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>Connects to targets: literals at once, names through the resolver, each address in turn, all within one timeout.</summary>
public sealed class Dialer(TimeSpan timeout)
{
    /// <exception cref="SocketException">No address answered.</exception>
    /// <exception cref="TimeoutException">It took too long.</exception>
    public async Task<Socket> DialAsync(Target target, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(timeout);
        try
        {
            return await DialAnyAsync(target, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new TimeoutException($"{target} did not answer within {timeout.TotalSeconds:0.#} s");
        }
    }

    /// <summary>The target's first address, for datagrams: there is no answer by which another could be tried.</summary>
    /// <exception cref="SocketException">The name does not resolve.</exception>
    /// <exception cref="TimeoutException">It took too long.</exception>
    public async Task<IPEndPoint> ResolveAsync(Target target, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(timeout);
        try
        {
            IPAddress[] addresses = await AddressesAsync(target, limit.Token).ConfigureAwait(false);
            return addresses.Length != 0
                ? new IPEndPoint(addresses[0], target.Port)
                : throw new SocketException((int)SocketError.HostNotFound);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new TimeoutException($"{target.Host} did not resolve within {timeout.TotalSeconds:0.#} s");
        }
    }

    private static async ValueTask<IPAddress[]> AddressesAsync(Target target, CancellationToken cancel) =>
        IPAddress.TryParse(target.Host, out IPAddress? literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(target.Host, cancel).ConfigureAwait(false);

    private static async Task<Socket> DialAnyAsync(Target target, CancellationToken cancel)
    {
        IPAddress[] addresses = await AddressesAsync(target, cancel).ConfigureAwait(false);
        SocketException last = new((int)SocketError.HostNotFound);
        foreach (IPAddress address in addresses)
        {
            try
            {
                return await ConnectAsync(new IPEndPoint(address, target.Port), cancel).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                last = e;
            }
        }

        throw last;
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint endPoint, CancellationToken cancel)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, cancel).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
