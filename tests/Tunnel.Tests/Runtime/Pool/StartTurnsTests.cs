using Tunnel.App.Runtime.Pool;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Runtime.Pool;

public sealed class StartTurnsTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(50);

    private readonly VirtualTime _time = new();
    private readonly List<TaskCompletionSource<int>> _begun = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhoeverIsDoneMakesRoomForTheNext()
    {
        var turns = new StartTurns(2, Longest, _time);
        Task<int>[] all = [.. Enumerable.Range(0, 4).Select(_ => turns.RunAsync(Begin, Cancel))];
        Assert.Equal(2, _begun.Count);
        _begun[1].SetResult(1);
        await UntilBegunAsync(3);
        _begun[0].SetException(new IOException("no answer"));
        await UntilBegunAsync(4);
        _begun[2].SetResult(2);
        _begun[3].SetResult(3);
        Assert.Equal(1, await all[1]);
        await Assert.ThrowsAsync<IOException>(() => all[0]);
        Assert.Equal(2, await all[2]);
        Assert.Equal(3, await all[3]);
    }

    [Fact]
    public async Task WhoeverTakesLongGoesOnAndHoldsNobodyUp()
    {
        var turns = new StartTurns(1, Longest, _time);
        Task<int> slow = turns.RunAsync(Begin, Cancel), next = turns.RunAsync(Begin, Cancel);
        _time.Advance(Longest / 2);
        Assert.Single(_begun);
        _time.Advance(Longest / 2);
        await UntilBegunAsync(2);
        _begun[1].SetResult(1);
        Assert.Equal(1, await next);
        Assert.False(slow.IsCompleted);
        _begun[0].SetResult(7);
        Assert.Equal(7, await slow);
    }

    /// <summary>One that is not wanted any more before its turn has none, and takes none from others.</summary>
    [Fact]
    public async Task WhoeverLeavesBeforeHisTurnTakesNone()
    {
        var turns = new StartTurns(1, Longest, _time);
        using var leaves = new CancellationTokenSource();
        Task<int> first = turns.RunAsync(Begin, Cancel), left = turns.RunAsync(Begin, leaves.Token), last = turns.RunAsync(Begin, Cancel);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        _begun[0].SetResult(0);
        Assert.Equal(0, await first);
        await UntilBegunAsync(2);
        _begun[1].SetResult(1);
        Assert.Equal(1, await last);
    }

    private Task<int> Begin()
    {
        var end = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_begun)
            _begun.Add(end);
        return end.Task;
    }

    private async Task UntilBegunAsync(int count)
    {
        while (true)
        {
            lock (_begun)
            {
                if (_begun.Count >= count)
                    break;
            }

            await Task.Delay(1, Cancel);
        }

        Assert.Equal(count, _begun.Count);
    }
}
