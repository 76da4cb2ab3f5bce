using Tunnel.Links.Sockets;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Links;

public class EdgeSignalTests
{
    private readonly EdgeSignal _signal = new();

    [Fact]
    public async Task AnEdgeThatCameMeanwhileIsNotWaitedFor()
    {
        int seen = _signal.Edges;
        _signal.Signal();
        await _signal.WaitAsync(seen, CancellationToken.None);
    }

    [Fact]
    public async Task WhoWaitsGoesOnWithTheNextEdgeOnTheThreadThatTells()
    {
        Task<int> waiting = WaitAsync();
        Assert.False(waiting.IsCompleted);
        int here = Environment.CurrentManagedThreadId;
        _signal.Signal();
        Assert.True(waiting.IsCompleted);
        Assert.Equal(here, await waiting);

        async Task<int> WaitAsync()
        {
            await _signal.WaitAsync(_signal.Edges, CancellationToken.None).ConfigureAwait(false);
            return Environment.CurrentManagedThreadId;
        }
    }

    /// <summary>A wait that was given up takes nothing from the next, neither its edge nor its cancellation.</summary>
    [Fact]
    public async Task AWaitThatWasGivenUpIsOver()
    {
        using var cancel = new CancellationTokenSource();
        ValueTask given = _signal.WaitAsync(_signal.Edges, cancel.Token);
        await cancel.CancelAsync();
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await given);
        Assert.Equal(cancel.Token, e.CancellationToken);
        ValueTask next = _signal.WaitAsync(_signal.Edges, CancellationToken.None);
        Assert.False(next.IsCompleted);
        _signal.Signal();
        await next;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _signal.WaitAsync(_signal.Edges, cancel.Token));
    }

    [Fact]
    public async Task OneThatCancelsAfterTheEdgeIsLate()
    {
        using var cancel = new CancellationTokenSource();
        ValueTask first = _signal.WaitAsync(_signal.Edges, cancel.Token);
        _signal.Signal();
        await cancel.CancelAsync();
        await first;
    }

    /// <summary>Edges and cancellations from other threads: every wait ends, once, and the count is right.</summary>
    [Fact]
    public async Task NothingIsLostBetweenThreads()
    {
        const int edges = 20_000;
        int waited = 0, cancelled = 0;
        using var over = new CancellationTokenSource();
        Task telling = Task.Run(() =>
        {
            for (int i = 0; i < edges; i++)
                _signal.Signal();
        });
        while (_signal.Edges < edges)
        {
            int seen = _signal.Edges;
            if (seen == edges)
                break;
            using var cancel = new CancellationTokenSource();
            _ = Task.Run(cancel.Cancel);
            try
            {
                await _signal.WaitAsync(seen, cancel.Token);
                waited++;
                Assert.NotEqual(seen, _signal.Edges);
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
        }

        await telling;
        Assert.Equal(edges, _signal.Edges);
        Assert.True(waited + cancelled > 0);
    }

    [Fact]
    public void WaitingAllocatesNothing()
    {
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                ValueTask waiting = _signal.WaitAsync(_signal.Edges, CancellationToken.None);
                _signal.Signal();
                waiting.GetAwaiter().GetResult();
            }
        }));
    }
}
